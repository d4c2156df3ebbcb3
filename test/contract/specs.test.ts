import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

import { loadSpec } from "../../src/provisioner/cli/compose.ts";
import { registry } from "../../src/provisioner/cli/compose.ts";
import { editorSchema } from "../../src/provisioner/spec/editor-schema.ts";
import { root } from "../support/source-files.ts";

const specs = readdirSync(join(root, "specs")).filter((file) => file.endsWith(".yaml"));
const shell = { env: { PROVISION_HOME: root }, cwd: root };

describe.each(specs)("specs/%s", (file) => {
  it("is right", async () => {
    const { recipe, spec } = await loadSpec(join(root, "specs", file), shell);

    expect(recipe.length).toBeGreaterThan(0);
    expect(spec.description).toBeDefined();
  });

  it("is right by the schema that editors get", () => {
    const ajv = new Ajv2020({
      strict: true,
      strictRequired: false,
      allowUnionTypes: true,
      formats: { base: true, source: true, template: true, tool: true, repository: true },
    });
    const validate = ajv.compile(editorSchema(registry));
    const value = parse(readFileSync(join(root, "specs", file), "utf8")) as { tasks?: object[] };

    expect(validate(value)).toBe(true);
    expect(validate({ ...value, tasks: [{ nothing: {} }] })).toBe(false);
    expect(validate({ ...value, tasks: [...(value.tasks ?? []), { apt: {}, sysctl: {} }] })).toBe(false);
    const on = (...distribution: string[]) => [{ timezone: { name: "Etc/UTC" }, when: { distribution } }];
    expect(validate({ ...value, tasks: on("debian-13", "ubuntu") })).toBe(true);
    expect(validate({ ...value, tasks: on("debian-31") })).toBe(false);
  });
});

it("there is a base to build on", () => {
  expect(specs).toContain("base.yaml");
});
