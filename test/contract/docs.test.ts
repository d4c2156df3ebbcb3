import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { registry } from "../../src/provisioner/cli/compose.ts";
import { generatedPages } from "../../src/provisioner/cli/pages.ts";
import { buildProgram } from "../../src/provisioner/cli/program.ts";
import { fakeShell } from "../support/fake-shell.ts";
import { root } from "../support/source-files.ts";

const pages = generatedPages(await buildProgram(fakeShell("/"), () => true), registry);

describe("generated pages", () => {
  it.each([...pages])("%s is what `npm run docs` writes", (path, text) => {
    expect(readFileSync(join(root, path), "utf8")).toBe(text);
  });

  it("have no leftovers beside them", () => {
    const there = ["docs/commands", "schema"].flatMap((folder) =>
      readdirSync(join(root, folder)).map((file) => `${folder}/${file}`),
    );

    expect(there.filter((path) => !pages.has(path))).toEqual([]);
  });

  it("show every task and every command", () => {
    for (const { name } of registry) expect(pages.get("src/tasks/README.md")).toContain(`\n## ${name}\n`);
    for (const name of ["validate", "tasks", "images"]) {
      expect(pages.get("docs/commands/README.md")).toContain(`\n## provision ${name}\n`);
    }
  });
});
