import { expect, it } from "vitest";

import type { PinnedDriver } from "../../src/provisioner/core/driver-pin.ts";
import type { Recipe } from "../../src/provisioner/core/recipe.ts";
import { digestUses } from "../../src/provisioner/image/build-inputs.ts";
import { aptRepository } from "../../src/tasks/apt-repository/index.ts";
import { nvidiaDriver } from "../../src/tasks/nvidia-driver/index.ts";
import { tools } from "../../src/tasks/tools/index.ts";
import { someDriver } from "../support/some-driver.ts";
import { someRepository } from "../support/some-repository.ts";
import { someTool } from "../support/some-tool.ts";
import { sourcesOf } from "../support/tasks.ts";

const where = { file: "web.yaml", line: 1, column: 1 };
const recipe: Recipe = [
  { id: "tools go, jq", task: tools, params: { names: ["jq", "go"], absent: ["skim"] }, where },
];

function digested(version: string) {
  const sources = { ...sourcesOf(), tool: async (name: string) => someTool(name, { version }) };
  return digestUses(recipe, sources, "debian-13");
}

it("counts the tools that a spec uses among what an image is made of, in order of their names", async () => {
  const { inputs, pins } = await digested("1.0");

  expect(inputs.tools).toEqual(
    ["go", "jq"].map((name) => ({ name, id: someTool(name, { version: "1.0" }).pins.x86_64?.id })),
  );
  expect(pins.map(({ name, architecture }) => [name, architecture])).toEqual([
    ["go", "x86_64"],
    ["jq", "x86_64"],
  ]);
});

it("counts the drivers that a spec uses, with the kernel of the image's distribution", async () => {
  const uses: Recipe = [{ id: "nvidia-driver nvidia", task: nvidiaDriver, params: {}, where }];
  const pinned = (kernel: string) => {
    const { pins } = someDriver("nvidia", { kernel });
    const driver = { name: "nvidia", pins: { ...pins, "debian-12": someDriver("nvidia").pins["debian-13"] } };
    return digestUses(uses, { ...sourcesOf(), driver: async () => driver as PinnedDriver }, "debian-13");
  };

  const [one, other, none] = await Promise.all([pinned("6.12.1"), pinned("6.12.2"), digested("1.0")]);

  expect(one.inputs.drivers).toEqual([someDriver("nvidia", { kernel: "6.12.1" })]);
  expect(other.inputs.drivers).not.toEqual(one.inputs.drivers);
  expect(none.inputs.drivers).toEqual([]);
});

it("gives other inputs when a tool is pinned anew, and the same when it is not", async () => {
  const [one, same, other] = await Promise.all(["1.0", "1.0", "2.0"].map(digested));

  expect(same?.inputs).toEqual(one?.inputs);
  expect(other?.inputs.tools).not.toEqual(one?.inputs.tools);
});

it("counts neither the uses for another distribution nor what they are made of", async () => {
  const elsewhere: Recipe = recipe.map((use) => ({ ...use, when: { distribution: ["ubuntu"] } }));
  const here: Recipe = [
    { id: "tools jq", task: tools, params: { names: ["jq"] }, where, when: { distribution: ["debian-13"] } },
  ];

  const { inputs, pins } = await digestUses([...elsewhere, ...here], sourcesOf(), "debian-13");

  expect(inputs.uses.map(({ id }) => id)).toEqual(["tools jq"]);
  expect(inputs.tools.map(({ name }) => name)).toEqual(["jq"]);
  expect(pins.map(({ name }) => name)).toEqual(["jq"]);
});

it("counts the repositories that a spec uses, and fetches no key for it", async () => {
  const params = { name: "agent", pinned: "agent" };
  const use = { id: "apt-repository agent", task: aptRepository, params, where };
  const digest = async (suite: string) => {
    const sources = {
      ...sourcesOf(),
      repository: async (name: string) => someRepository(name, { suites: [suite] }),
      obtainKey: async () => {
        throw new Error("Nothing may be fetched");
      },
    };
    const { inputs } = await digestUses([use], sources, "debian-13");
    return inputs.materials;
  };

  const [one, same, other] = await Promise.all(["trixie", "trixie", "forky"].map(digest));

  expect(one).toEqual([{ name: "repository agent", sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
  expect(same).toEqual(one);
  expect(other).not.toEqual(one);
});
