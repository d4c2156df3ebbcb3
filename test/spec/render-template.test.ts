import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { templateNames, templateRenderer } from "../../src/provisioner/spec/render-template.ts";

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "provision-templates-"));
  await mkdir(join(directory, "sub"));
  const files = {
    "plain.hbs": "hello {{name}}\n",
    "machine.xml.hbs": "<name>{{name}}</name>",
    "list.hbs": '{{join words ", "}} {{json words}}',
    "deep.hbs": "\n  {{a.b}}",
    "each.hbs": "{{#each list}}{{name}};{{/each}}",
    "helper.hbs": "{{shout name}}",
    "broken.hbs": "{{name",
    "sub/inner.hbs": "inner",
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
});

afterAll(() => rm(directory, { recursive: true }));

describe("templateRenderer", () => {
  it("takes values as they are outside XML and escapes them in it", () => {
    const render = templateRenderer(directory);

    expect(render("plain", { name: `<a & "b">` })).toBe(`hello <a & "b">\n`);
    expect(render("machine.xml", { name: `<a & "b">` })).toBe("<name>&lt;a &amp; &quot;b&quot;&gt;</name>");
  });

  it("gives lists and JSON by its two helpers", () => {
    expect(templateRenderer(directory)("list", { words: ["a", 'b"'] })).toBe('a, b" ["a","b\\""]');
  });

  it("lets a use's own variable come before the spec's", () => {
    const render = templateRenderer(directory, { name: "spec" });

    expect(render("plain", {})).toBe("hello spec\n");
    expect(render("plain", { name: "use" })).toBe("hello use\n");
  });

  it.each([
    ["plain", {}, 'variable "name" must be given, is missing (line 1, column 9)'],
    ["deep", { a: {} }, 'variable "b" must be given, is missing (line 2, column 5)'],
    ["each", { list: [{ name: 1 }, {}] }, 'variable "name" must be given, is missing (line 1, column 17)'],
    ["list", {}, "`join` must get a value, gets none: its variable is missing"],
    ["helper", { name: 1 }, 'helper "shout" must be one of json, join, if, each, unless, with (line 1)'],
    ["broken", { name: 1 }, expect.stringContaining("Parse error on line 1")],
    ["plian", {}, expect.stringContaining('(nearest: "plain")')],
    ["../../etc/passwd", {}, expect.stringContaining("is missing")],
  ])("names the template and what it lacks: %s %j", (template, variables, reason) => {
    const render = templateRenderer(directory);

    expect(() => render(template, variables)).toThrow(
      expect.objectContaining({ code: "TEMPLATE_FAILED", facts: { template, reason } }),
    );
  });

  it("takes from what ships only what the project's own folder lacks", () => {
    const own = templateRenderer(join(directory, "sub"), {}, directory);

    expect(own("inner", {})).toBe("inner");
    expect(own("plain", { name: "shipped" })).toBe("hello shipped\n");
    expect(() => own("nowhere", {})).toThrow(/is missing/);
  });

  it("lists templates with their subfolders", () => {
    expect(templateNames(directory)).toContain("sub/inner");
    expect(templateRenderer(directory)("sub/inner", {})).toBe("inner");
    expect(templateNames(join(directory, "nowhere"))).toEqual([]);
  });
});
