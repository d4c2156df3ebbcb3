import { createHash } from "node:crypto";

import type { Static, TSchema } from "typebox";
import { expect } from "vitest";

import { converge, type Summary } from "../../src/provisioner/core/converge.ts";
import type { Event } from "../../src/provisioner/core/events.ts";
import type { Host } from "../../src/provisioner/core/host.ts";
import type { Recipe } from "../../src/provisioner/core/recipe.ts";
import { startRun } from "../../src/provisioner/core/run.ts";
import type { Sources } from "../../src/provisioner/core/sources.ts";
import type { Task } from "../../src/provisioner/core/task.ts";
import { createCheck } from "../../src/provisioner/spec/validate.ts";
import { exampleKey } from "../../src/tasks/apt-repository/example-key.ts";
import { emptyMachine } from "./fake-host.ts";
import { someDriver } from "./some-driver.ts";
import { someRepository } from "./some-repository.ts";
import { someTool } from "./some-tool.ts";

const check = createCheck();

/** What the product's own check says against these parameters; empty when they are accepted. */
export function complaints(task: Task, params: unknown): readonly string[] {
  return check(params, task.schema, [task.name]).map(({ path, says }) => `${path.join(".")} ${says}`);
}

/** Whether a spec may say this. */
export function accepts(task: Task, params: unknown): boolean {
  return complaints(task, params).length === 0;
}

/** Files beside the spec, templates that print what they were given, and pins of every name. */
export function sourcesOf(files: Readonly<Record<string, string>> = {}): Sources {
  const text = (path: string) => files[path] ?? `text of ${path}\n`;
  return {
    source: async (path) => ({
      path,
      sha256: createHash("sha256").update(text(path)).digest("hex"),
      size: Buffer.byteLength(text(path)),
    }),
    text: async (path) => text(path),
    template: (name, variables) => `${name} ${JSON.stringify(variables)}\n`,
    tool: async (name) => someTool(name),
    repository: async (name) => someRepository(name),
    obtainKey: async ({ key: _key, ...action }) => ({ ...action, kind: "write", text: exampleKey.text }),
    driver: async (name) => someDriver(name),
    secret: async (source) => `${keyOf(JSON.stringify(source))}\n`,
    obtain: async ({ path, file, mode, owner, group }) => ({
      kind: "upload",
      path,
      source: { path: file.name, sha256: file.sha256, size: 1 },
      mode,
      owner,
      group,
    }),
  };
}

/** A key as `wg genkey` prints them, another one for each text: 32 bytes in base64. */
export function keyOf(text: string): string {
  return createHash("sha256").update(text).digest("base64");
}

/** Settles one use through the engine, as `provision apply` does. */
export function settle<Schema extends TSchema, State>(
  task: Task<Schema, State>,
  params: Static<Schema>,
  host: Host,
  options: { readonly check?: boolean; readonly sources?: Sources; readonly events?: Event[] } = {},
): Promise<Summary> {
  if (!accepts(task, params)) throw new Error(complaints(task, params).join("\n"));
  const { check: isCheck = false, sources = sourcesOf(), events } = options;
  const report = (event: Event) => void events?.push(event);
  const run = startRun({ report, signal: new AbortController().signal, now: () => 0 });
  return converge([useOf(task, params)], { host, run, check: isCheck, sources });
}

/** The plan of a use on a machine, without doing anything: what, from, to. */
export async function planned<Schema extends TSchema, State>(
  task: Task<Schema, State>,
  params: Static<Schema>,
  host: Host = emptyMachine(),
): Promise<readonly (readonly [string, string | undefined, string | undefined])[]> {
  const found: (readonly [string, string | undefined, string | undefined])[] = [];
  const run = startRun({
    signal: new AbortController().signal,
    now: () => 0,
    report: (event) => {
      if (event.kind !== "use-ended") return;
      found.push(...event.changes.map(({ what, from, to }) => [what, from, to] as const));
    },
  });
  await converge([useOf(task, params)], { host, run, check: true, sources: sourcesOf() });
  return found;
}

/** What a refused settling rejects with, for `expect(…).rejects.toMatchObject`. */
export function refusal(reason: RegExp): object {
  return { code: "TASK_REFUSED", message: expect.stringMatching(reason) };
}

function useOf<Schema extends TSchema, State>(
  task: Task<Schema, State>,
  params: Static<Schema>,
): Recipe[number] {
  const where = { file: "test.yaml", line: 1, column: 1 };
  return { id: `${task.name} ${task.subject(params)}`, task, params, where };
}
