import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import type { TSchema } from "typebox";
import { describe, expect, it } from "vitest";

import { givenUses } from "../../src/provisioner/cli/example-trials.ts";
import { emptyHost } from "../../src/provisioner/core/empty-host.ts";
import type { Event } from "../../src/provisioner/core/events.ts";
import { secretsIn } from "../../src/provisioner/core/secret.ts";
import type { Action } from "../../src/provisioner/core/task.ts";
import { readManifest } from "../../src/provisioner/pins/read-manifest.ts";
import { tasks } from "../../src/tasks/index.ts";
import { emptyMachine } from "../support/fake-host.ts";
import { root } from "../support/source-files.ts";
import { accepts, complaints, keyOf, planned, settle, sourcesOf } from "../support/tasks.ts";

const shippedManifest = readManifest(readFileSync(join(root, "versions.yaml"), "utf8"), "versions.yaml");

type Schema = Readonly<Record<string, unknown>>;

/** Every parameter with the names around it, those inside objects too. */
function parameters(schema: Schema, prefix = ""): readonly (readonly [string, Schema])[] {
  const properties = (schema["properties"] ?? {}) as Readonly<Record<string, Schema>>;
  return Object.entries(properties).flatMap(([name, value]) => [
    [prefix + name, value] as const,
    ...parameters(value, `${prefix}${name}.`),
  ]);
}

/** Objects with parameters of their own: the task's, and those inside. */
function objects(schema: Schema): readonly Schema[] {
  const properties = Object.values((schema["properties"] ?? {}) as Readonly<Record<string, Schema>>);
  return [schema, ...properties.filter((value) => "properties" in value).flatMap(objects)];
}

const examples = tasks.flatMap((task) =>
  task.examples.map(({ title, params, trial = {} }) => ({
    name: `${task.name}: ${title}`,
    task,
    params,
    trial,
  })),
);

/** Files of which a use owns a line, and provision's own notes. */
const shared =
  /^\/etc\/(fstab|locale\.gen|login\.defs|sub[ug]id)$|^\/var\/lib\/provision\/|^\/run\/provision|\/share\/provision\/store\/\.incoming\//;

/** Of an action what messages and process lists show. */
function seenByAll(action: Action): unknown {
  return action.kind === "run" ? [action.command.argv, action.command.env] : { ...action, text: undefined };
}

describe("the registry", () => {
  it("is in alphabetical order and names each task once", () => {
    const names = tasks.map(({ name }) => name);

    expect(names).toEqual([...new Set(names)].toSorted());
  });

  it("has the tasks this version promises", () => {
    const promised =
      "absent apparmor apt apt-repository command directory dotfiles file fstab group kernel-module locale login-shell subuid " +
      "symlink sysctl systemd-unit timezone tmpfiles tools user";

    expect(tasks.map(({ name }) => name)).toEqual(expect.arrayContaining(promised.split(" ")));
  });
});

describe.each(tasks.map((task) => ({ name: task.name, task })))("task $name", ({ task }) => {
  const schema = task.schema as TSchema & Schema;

  it("has a kebab-case name and a summary of one sentence", () => {
    expect(task.name).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(task.summary).toMatch(/^[A-Z].*\.$/);
  });

  it("has a file and a test of its name", () => {
    const sources = [`src/tasks/${task.name}.ts`, `src/tasks/${task.name}/index.ts`];

    expect(sources.filter((path) => existsSync(path))).toHaveLength(1);
    expect(existsSync(`test/tasks/${task.name}.test.ts`)).toBe(true);
  });

  it("describes each parameter", () => {
    const silent = parameters(schema).filter(([, { description }]) => typeof description !== "string");

    expect(silent.map(([name]) => name)).toEqual([]);
  });

  it("closes each of its objects to unknown parameters", () => {
    for (const object of objects(schema)) expect(object).toMatchObject({ additionalProperties: false });
  });

  it("refuses a parameter nobody knows, and what is no mapping", () => {
    const [example] = task.examples;
    const params = { ...(example?.params as object), nonsense: true };

    expect(complaints(task, params)).toEqual([expect.stringContaining('is "nonsense"')]);
    for (const value of [null, "text", 5, []]) expect(accepts(task, value)).toBe(false);
  });

  it("has an example that is tried on a machine", () => {
    expect(task.examples.filter(({ trial }) => trial?.skip === undefined)).not.toEqual([]);
  });

  it("has examples, each of another subject", () => {
    const subjects = task.examples.map(({ params }) => task.subject(params));

    expect(subjects.length).toBeGreaterThan(0);
    expect(new Set(subjects).size).toBe(subjects.length);
  });
});

describe.each(examples)("example $name", ({ task, params, trial }) => {
  const { schema } = task;
  it("is accepted", () => {
    expect(complaints(task, params)).toEqual([]);
  });

  it("has a stable subject without line breaks", () => {
    const subject = task.subject(params);

    expect(task.subject(structuredClone(params))).toBe(subject);
    expect(subject).toMatch(/^\S(.*\S)?$/);
  });

  it("can be tried on a scratch machine, or says why not", () => {
    const { given = [], only, skip } = trial;
    const instead = trial.insteadOn?.({ mac: "52:54:00:12:34:56" }) ?? trial.instead ?? params;
    const bases = Object.keys(shippedManifest.bases);

    expect(complaints(task, instead)).toEqual([]);
    for (const { task: needed, params: wanted } of givenUses(given, tasks, task.name)) {
      expect(complaints(needed, wanted)).toEqual([]);
    }
    expect(only?.bases.filter((base) => !bases.includes(base)) ?? []).toEqual([]);
    for (const reason of [only?.because, skip]) expect(reason ?? "so").toMatch(/^\S.*[^.\s]$/);
  });

  it("owns every file and link that it writes, but for those that several uses share", async () => {
    const host = emptyMachine();

    await settle(task, params, host);

    const written = host.journal.flatMap((line) => /^(?:write|upload|symlink) (.*)$/.exec(line)?.[1] ?? []);
    const owned = task.owns?.(params) ?? [];
    expect(written.filter((path) => !owned.includes(path) && !shared.test(path))).toEqual([]);
    expect(owned.filter((path) => !path.startsWith("/"))).toEqual([]);
  });

  it("tells no secret in what it says of a change, and gives none to a program but on its standard input", async () => {
    const events: Event[] = [];
    const given: string[] = [];
    const secret = async (source: object) => {
      given.push(keyOf(JSON.stringify(source)));
      return keyOf(JSON.stringify(source));
    };

    await settle(task, params, emptyMachine(), { events, sources: { ...sourcesOf(), secret } });

    const changes = events.flatMap((event) => (event.kind === "use-ended" ? event.changes : []));
    const told = changes.map(({ actions, ...words }) => [words, actions.map(seenByAll)]);
    for (const text of given) expect(JSON.stringify(told)).not.toContain(text);
    expect(given.length > 0).toBe(secretsIn(params, schema).length > 0);
  });

  it("can be planned where there is no machine yet", async () => {
    for (const distribution of [undefined, "debian-13"]) {
      const plan = await planned(task, params, emptyHost(distribution));

      for (const [what, from, to] of plan) expect([what, from === to]).toEqual([what, false]);
    }
  });

  it("changes nothing when it is only checked", async () => {
    const host = emptyMachine();

    await settle(task, params, host, { check: true });

    expect(host.journal).toEqual([]);
  });

  it("settles an empty machine, and is unchanged the second time, in one flight", async () => {
    const host = emptyMachine();
    await settle(task, params, host);
    const journal = [...host.journal];

    const again = await settle(task, params, host);

    expect(again).toMatchObject({ changed: 0, flights: 1 });
    expect(host.journal).toEqual(journal);
  });

  it("says beforehand what it will change", async () => {
    const foretold = await settle(task, params, emptyMachine(), { check: true });

    const done = await settle(task, params, emptyMachine());

    expect(foretold.changed).toBe(done.changed);
  });

  it("goes on where it stopped, wherever the connection is cut", async () => {
    const whole = emptyMachine();
    await settle(task, params, whole);

    for (let orders = 0; orders <= whole.journal.length; orders += 1) {
      const host = emptyMachine();
      host.loseAt(2, orders);
      await settle(task, params, host);
      const again = await settle(task, params, host);

      expect(again).toMatchObject({ changed: 0 });
      expect(host.files.paths()).toEqual(whole.files.paths());
    }
  });

  it("is settled by the next run, wherever the first one was killed", async () => {
    const whole = emptyMachine();
    const { changed } = await settle(task, params, whole);
    // Nothing to do, nothing to be killed in: what is to be absent is absent on an empty machine.
    const cuts = changed === 0 ? [] : Array.from({ length: whole.journal.length + 1 }, (_, orders) => orders);

    for (const orders of cuts) {
      const host = emptyMachine();
      host.loseAt(2, orders);
      host.staysAway = true;
      await expect(settle(task, params, host)).rejects.toMatchObject({ code: "HOST_LOST" });
      host.staysAway = false;
      await settle(task, params, host);

      expect(await settle(task, params, host)).toMatchObject({ changed: 0 });
      expect(host.files.paths()).toEqual(whole.files.paths());
    }
  });
});
