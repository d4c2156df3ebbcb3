import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import * as fc from "fast-check";
import { Type } from "typebox";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { converge, type Summary } from "../../src/provisioner/core/converge.ts";
import type { Host } from "../../src/provisioner/core/host.ts";
import type { Recipe } from "../../src/provisioner/core/recipe.ts";
import type { Run } from "../../src/provisioner/core/run.ts";
import { defineTask, differences, run as program, write } from "../../src/provisioner/core/task.ts";
import { until } from "../../src/provisioner/core/until.ts";
import { connectSsh } from "../../src/provisioner/host/ssh-connect.ts";
import { openSshHost } from "../../src/provisioner/host/ssh-host.ts";
import { startCutProxy, type CutProxy } from "../support/cut-proxy.ts";
import { recordedRun } from "../support/recorded-run.ts";
import { sendable } from "../support/sendable.ts";
import { startSshServer, type SshServer } from "../support/ssh-server.ts";
import { sourcesOf } from "../support/tasks.ts";

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const isRoot = process.getuid?.() === 0;
const where = { file: "spec.yaml", line: 1, column: 1 };

/** A file for which a long program runs, outside the connection: as apt does. */
const made = defineTask({
  name: "made",
  summary: "A file that a program makes.",
  schema: Type.Object({ path: Type.String(), script: Type.String() }),
  examples: [],
  subject: ({ path }) => path,
  read: (facts, { path }) => facts.file(path),
  plan: ({ path, script }, now) =>
    differences({
      what: path,
      from: now,
      to: "made\n",
      actions: [{ ...program("sh", "-c", script), detached: true }],
    }),
});

const text = defineTask({
  name: "text",
  summary: "A text.",
  schema: Type.Object({ path: Type.String(), text: Type.String() }),
  examples: [],
  subject: ({ path }) => path,
  read: (facts, { path }) => facts.file(path),
  plan: ({ path, text: wanted }, now) =>
    differences({ what: path, from: now, to: wanted, actions: [write(path, wanted)] }),
});

function textAt(path: string, content: string): Recipe[number] {
  return { id: `text ${path}`, task: text, params: { path, text: content }, where };
}

describe.skipIf(!isRoot)("the engine over sshd (skipped unless root)", () => {
  let dir: string;
  let server: SshServer;
  let proxy: CutProxy;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "provision-engine-"));
    await writeFile(join(dir, "boot-id"), "11111111-0000-0000-0000-000000000000\n");
    server = await startSshServer();
    proxy = await startCutProxy({ port: server.port });
  });

  afterEach(async () => {
    await proxy[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    await rm(dir, { recursive: true, force: true });
  });

  const at = (name: string) => join(dir, name);

  function openHost(run: Run): Promise<Host> {
    const target = server.target({ port: proxy.port });
    return openSshHost({
      name: "root@target",
      connect: () => connectSsh(target, { signal: run.signal }),
      run: "run-1",
      signal: run.signal,
      pauseMs: 20,
      lock: { owner: "me", waitMs: 10_000 },
      worker: { root: at("run"), bootIdFile: at("boot-id") },
    });
  }

  function go(recipe: Recipe, host: Host, run: Run): Promise<Summary> {
    return converge(recipe, { host, run, check: false, sources: sourcesOf() });
  }

  /** Notes that it was started, waits until it may go on, and makes the file. */
  function slow(): Recipe[number] {
    const script = `echo start >> ${at("ran")}; until [ -e ${at("go")} ]; do sleep 0.02; done; echo made > ${at("made")}`;
    return { id: "made", task: made, params: { path: at("made"), script }, where };
  }

  async function appears(path: string): Promise<void> {
    const look = async () => (existsSync(path) ? true : undefined);
    const signal = AbortSignal.timeout(20_000);
    expect(await until(look, { deadlineMs: 20_000, pauseMs: 10, signal })).toBe(true);
  }

  it("brings any text unchanged to files, arguments, variables and standard input, and back", async () => {
    const { run } = recordedRun();
    await using host = await openHost(run);

    await fc.assert(
      fc.asyncProperty(fc.array(sendable, { minLength: 1, maxLength: 8 }), async (texts) => {
        const words = texts.map((each) => each.slice(0, 1000));

        const { landings, answers } = await host.fly({
          orders: texts.map((each, index) => ({
            id: `text-${index}`,
            action: write(at(`text-${index}`), each),
          })),
          facts: [
            ...texts.map((_, index) => ({ kind: "file" as const, about: at(`text-${index}`) })),
            { kind: "query", about: { argv: ["printf", "%s\\0", ...words] } },
            ...words.map((stdin) => ({ kind: "query" as const, about: { argv: ["cat"] as const, stdin } })),
            ...words.map((ODD) => ({
              kind: "query" as const,
              about: { argv: ["sh", "-c", 'printf %s "$ODD"'] as const, env: { ODD } },
            })),
          ],
        });

        const printed = (stdout: string) => ({ value: { code: 0, stdout, stderr: "" } });
        expect(landings).toEqual(texts.map(() => ({ kind: "done" })));
        expect(answers).toEqual([
          ...texts.map((value) => ({ value })),
          printed(words.map((word) => `${word}\0`).join("")),
          ...words.map(printed),
          ...words.map(printed),
        ]);
        for (const [index, each] of texts.entries())
          expect(await readFile(at(`text-${index}`), "utf8")).toBe(each);
      }),
      { numRuns: 25 },
    );
  });

  it("converges when it is cut in the bulk read", async () => {
    const { run, events } = recordedRun();
    const recipe = Array.from({ length: 20 }, (_, index) =>
      textAt(at(`f${index}`), `${index}\n`.repeat(500)),
    );
    for (const [index] of recipe.entries()) await writeFile(at(`f${index}`), `${index}\n`.repeat(500));
    await using host = await openHost(run);
    const cut = proxy.after(5000, "down", "cut");

    const summary = await go(recipe, host, run);

    await cut;
    expect(summary).toMatchObject({ uses: 20, changed: 0, flights: 2 });
    expect(events.filter(({ kind }) => kind === "note")).toHaveLength(1);
  });

  it("converges when it is cut in a long program, which runs once", async () => {
    const { run, events } = recordedRun();
    await using host = await openHost(run);
    const going = go([textAt(at("before"), "b\n"), slow(), textAt(at("after"), "a\n")], host, run);

    await appears(at("ran"));
    proxy.cut();
    await writeFile(at("go"), "");
    const summary = await going;

    expect(summary).toMatchObject({ changed: 3 });
    expect(await readFile(at("ran"), "utf8")).toBe("start\n");
    expect(await readFile(at("after"), "utf8")).toBe("a\n");
    expect(events.some((event) => event.kind === "note" && event.text.startsWith("Lost root@target"))).toBe(
      true,
    );
  });

  it("reads everything again when the target was booted anew underneath", async () => {
    const { run, events } = recordedRun();
    await using host = await openHost(run);
    const going = go([textAt(at("before"), "b\n"), slow()], host, run);

    await appears(at("ran"));
    // A boot loses the connection, the long program and what lay in memory.
    await writeFile(at("boot-id"), "22222222-0000-0000-0000-000000000000\n");
    await rm(at("before"));
    await writeFile(at("go"), "");
    proxy.cut();
    await going;

    expect(await readFile(at("before"), "utf8")).toBe("b\n");
    expect(await readFile(at("made"), "utf8")).toBe("made\n");
    const notes = events.flatMap((event) => (event.kind === "note" ? [event.text] : []));
    expect(notes).toContain("root@target rebooted underneath; everything is read again");
  });

  it("stops at once on Ctrl-C in a long program, and the next run finds the way free", async () => {
    const stop = new AbortController();
    const first = recordedRun(stop.signal);
    {
      await using host = await openHost(first.run);
      const going = go([slow()], host, first.run);
      await appears(at("ran"));
      stop.abort();
      await expect(going).rejects.toMatchObject({ name: "AbortError" });
    }
    const second = recordedRun();
    await using host = await openHost(second.run);
    const going = go([slow()], host, second.run);
    await writeFile(at("go"), "");

    // What the first run started goes on and may be the one that makes it.
    await going;
    expect(await readFile(at("made"), "utf8")).toBe("made\n");
  });
});
