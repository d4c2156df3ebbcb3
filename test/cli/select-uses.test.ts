import { describe, expect, it } from "vitest";

import { selectUses } from "../../src/provisioner/cli/select-uses.ts";
import type { Recipe } from "../../src/provisioner/core/recipe.ts";
import { tasks } from "../../src/tasks/index.ts";

const recipe = [
  ["apt", "curl less"],
  ["file", "/etc/motd"],
  ["file", "/etc/a+b"],
  ["sysctl", "vm.swappiness"],
].flatMap(([name, subject], index) =>
  tasks
    .filter((task) => task.name === name)
    .map((task) => ({
      id: `${name} ${subject}`,
      task,
      params: {},
      where: { file: "x.yaml", line: index + 1, column: 1 },
    })),
) satisfies Recipe;

describe("selectUses", () => {
  it.each([
    [{}, ["apt curl less", "file /etc/motd", "file /etc/a+b", "sysctl vm.swappiness"]],
    [{ only: ["file"] }, ["file /etc/motd", "file /etc/a+b"]],
    [{ only: ["file /etc/a+b"] }, ["file /etc/a+b"]],
    [{ only: ["*motd", "s*"] }, ["file /etc/motd", "sysctl vm.swappiness"]],
    [{ skip: ["file", "apt*"] }, ["sysctl vm.swappiness"]],
    [{ only: ["file"], skip: ["*motd"] }, ["file /etc/a+b"]],
  ])("keeps the order and takes what %j means", (selection, expected) => {
    expect(selectUses(recipe, selection).map(({ id }) => id)).toEqual(expected);
  });

  it.each(["etc", "file /etc/.otd", "syctl"])("refuses %j, which means no use", (pattern) => {
    expect(() => selectUses(recipe, { skip: [pattern] })).toThrow(
      expect.objectContaining({ code: "USAGE" }) as Error,
    );
  });
});
