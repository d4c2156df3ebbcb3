import { describe, expect, it } from "vitest";

import { exampleTrials } from "../../src/provisioner/cli/example-trials.ts";
import { specTrials } from "../../src/provisioner/cli/spec-trials.ts";
import type { Use } from "../../src/provisioner/core/recipe.ts";
import type { Task } from "../../src/provisioner/core/task.ts";
import { tasks } from "../../src/tasks/index.ts";
import { file } from "../../src/tasks/file.ts";
import { group } from "../../src/tasks/group.ts";

const withExamples = (examples: Task["examples"]): Task => ({ ...(file as Task), examples });
const motd = { path: "/etc/motd", content: "hello\n" };
const trialsOf = (examples: Task["examples"], base = "debian-13") =>
  exampleTrials([withExamples(examples)], { base, machine: { mac: "52:54:00:12:34:56" }, registry: tasks });

describe("the examples of a task", () => {
  it("are tried as they stand", () => {
    const [trial] = trialsOf([{ title: "Write a text", params: motd }]);

    expect(trial).toMatchObject({ subject: "file", title: "Write a text", given: [] });
    expect(trial?.recipe.map(({ id, params }) => [id, params])).toEqual([["file /etc/motd", motd]]);
  });

  it("are tried with what they need, and with others in their stead", () => {
    const other = { path: "/srv/www/a", content: "a\n" };
    const [trial] = trialsOf([
      {
        title: "Write a text",
        params: motd,
        trial: { instead: other, given: [{ group: { name: "docs" } }, { directory: { path: "/srv/www" } }] },
      },
    ]);

    expect(trial?.given.map(({ id }) => id)).toEqual(["group docs", "directory /srv/www"]);
    expect(trial?.recipe[0]?.params).toBe(other);
  });

  it("are tried with what the machine is, where they depend on it", () => {
    const insteadOn = ({ mac }: { readonly mac: string }) => ({ path: "/etc/motd", content: mac });

    const [trial] = trialsOf([{ title: "Write a text", params: motd, trial: { insteadOn } }]);

    expect(trial?.recipe[0]?.params).toEqual({ path: "/etc/motd", content: "52:54:00:12:34:56" });
  });

  it("are skipped with the reason, everywhere or on other bases", () => {
    const only = { bases: ["debian-12"], because: "the package is gone" };
    const examples = [
      { title: "Never", params: motd, trial: { skip: "it needs a GPU" } },
      { title: "There", params: motd, trial: { only } },
    ];

    expect(trialsOf(examples).map(({ skip }) => skip)).toEqual([
      "it needs a GPU",
      "the package is gone; it is tried on debian-12 (--base)",
    ]);
    expect(trialsOf(examples, "debian-12")[1]?.skip).toBeUndefined();
  });

  it("may not need what is no task", () => {
    const examples = [{ title: "Odd", params: motd, trial: { given: [{ nonsense: {} }] } }];

    expect(() => trialsOf(examples)).toThrow('each of "given" must be one task, is "nonsense"');
  });
});

describe("the uses of a spec", () => {
  const use = (name: string, more: Partial<Use> = {}): Use => ({
    id: `group ${name}`,
    task: group,
    params: { name },
    where: { file: "web.yaml", line: 1, column: 1 },
    ...more,
  });
  const elsewhere = { when: { distribution: ["debian-12"] } };

  it("are tried one after the other on one machine, at the end all of them together", () => {
    const trials = specTrials("web", [use("a"), use("b")], "debian-13");

    expect(trials.map(({ title, continues, recipe }) => [title, continues, recipe.length])).toEqual([
      ["group a", undefined, 1],
      ["group b", true, 1],
      ["all together", true, 2],
    ]);
  });

  it("are skipped where they are not meant for the machine; the first that is starts on a new one", () => {
    const trials = specTrials("web", [use("a", elsewhere), use("b"), use("c")], "debian-13");

    expect(trials.map(({ skip, continues }) => [skip, continues])).toEqual([
      ["it is not meant for debian-13", true],
      [undefined, undefined],
      [undefined, true],
      [undefined, true],
    ]);
    expect(trials.at(-1)?.recipe.map(({ id }) => id)).toEqual(["group b", "group c"]);
  });
});
