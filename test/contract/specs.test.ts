import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

import { checkHosts } from "../../src/provisioner/cli/check-hosts.ts";
import { loadSpec } from "../../src/provisioner/cli/compose.ts";
import { registry } from "../../src/provisioner/cli/compose.ts";
import { editorSchema, hostEditorSchema } from "../../src/provisioner/spec/editor-schema.ts";
import { root } from "../support/source-files.ts";

const specs = readdirSync(join(root, "specs")).filter((file) => file.endsWith(".yaml"));
const formats = {
  base: true,
  source: true,
  template: true,
  tool: true,
  repository: true,
  image: true,
  "key-file": true,
} as const;
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
      formats,
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

const hosts = readdirSync(join(root, "hosts")).filter((file) => file.endsWith(".yaml"));

describe("hosts/", () => {
  it("has defaults and hosts that are right beside each other", async () => {
    const names = hosts.map((file) => file.replace(".yaml", "")).filter((name) => name !== "defaults");

    const checked = await checkHosts(names, shell);

    expect(names).toContain("host01");
    expect(hosts).toContain("defaults.yaml");
    expect(checked.complaints).toEqual([]);
    expect(checked.hosts.map(({ spec }) => spec.name)).toEqual(names);
  });

  it.each(hosts)("%s is right by the schema that editors get", (file) => {
    const ajv = new Ajv2020({ strict: true, strictRequired: false, allowUnionTypes: true, formats });
    const validate = ajv.compile(hostEditorSchema(registry));
    const value = parse(readFileSync(join(root, "hosts", file), "utf8")) as object;

    expect(validate(value)).toBe(true);
    expect(validate({ ...value, cpu: 2 })).toBe(false);
    expect(validate({ ...value, tasks: [{ nothing: {} }] })).toBe(false);
  });
});
