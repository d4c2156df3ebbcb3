import { describe, expect, it } from "vitest";

import { importsOf, sourceFiles } from "../support/source-files.ts";
import type { SourceFile } from "../support/source-files.ts";

/** What the files of one folder may import. */
interface Row {
  /** Folders or files of ours, by their beginning; a folder may always import from itself. */
  readonly ours: readonly string[];
  /** Packages. */
  readonly packages: readonly string[];
  /** Parts of Node that are not for everybody. */
  readonly node?: readonly string[];
}

const at = (...folders: string[]) => folders.map((folder) => `src/provisioner/${folder}/`);

/** The longest beginning of a file's path is its row. A new folder needs a new one. */
const rows: Readonly<Record<string, Row>> = {
  "src/provisioner/core/": { ours: [], packages: ["typebox"], node: ["node:crypto"] },
  "src/provisioner/local/": { ours: at("core"), packages: ["execa"], node: ["*"] },
  "src/provisioner/spec/": {
    ours: at("core"),
    packages: ["ajv", "handlebars", "typebox", "yaml"],
    node: ["node:crypto", "node:fs", "node:fs/promises", "node:module", "node:path"],
  },
  "src/provisioner/host/": {
    ours: at("core", "local"),
    packages: ["ssh-config", "ssh2", "ssh2-sftp-client"],
    node: ["*"],
  },
  "src/provisioner/libvirt/": {
    ours: at("core", "local"),
    packages: ["fast-xml-parser", "koffi", "yaml"],
    node: ["*"],
  },
  "src/provisioner/bump/": {
    ours: at("core", "local", "spec", "pins"),
    packages: ["@octokit/core", "p-limit", "semver", "yaml"],
    node: ["*"],
  },
  "src/provisioner/pins/": {
    ours: at("core", "local", "spec"),
    packages: ["p-limit", "typebox", "undici", "yaml"],
    node: ["*"],
  },
  "src/provisioner/tools/": {
    ours: at("core", "local", "spec", "pins", "archive"),
    packages: ["p-limit"],
    node: ["*"],
  },
  "src/provisioner/archive/": { ours: at("core", "local"), packages: ["tar", "yauzl"], node: ["*"] },
  "src/provisioner/image/": {
    ours: at("core", "local", "spec", "host", "libvirt", "pins"),
    packages: ["typebox"],
    node: ["*"],
  },
  "src/provisioner/scratch/": {
    ours: at("core", "local", "host", "libvirt", "image"),
    packages: [],
    node: ["*"],
  },
  "src/provisioner/trial/": { ours: at("core", "scratch"), packages: [] },
  "src/provisioner/maintain/": { ours: at("core"), packages: [], node: ["node:crypto"] },
  "src/provisioner/doctor/": {
    ours: at("core", "local", "libvirt", "pins", "image"),
    packages: [],
    node: ["*"],
  },
  "src/provisioner/deploy/": {
    ours: at("core", "local", "spec", "host", "libvirt", "pins", "image"),
    packages: [],
    node: ["*"],
  },
  "src/provisioner/cli/": {
    ours: at(
      "core",
      "local",
      "spec",
      "host",
      "libvirt",
      "pins",
      "tools",
      "bump",
      "image",
      "doctor",
      "deploy",
      "maintain",
      "scratch",
      "trial",
    ),
    packages: ["@inquirer/checkbox", "commander", "p-limit", "typebox"],
    node: ["node:crypto", "node:fs", "node:fs/promises", "node:path", "node:url"],
  },
  // The one place that joins tasks to the engine.
  "src/provisioner/cli/compose.ts": {
    ours: [
      ...at("core", "local", "spec", "host", "libvirt", "pins", "image", "doctor", "deploy", "cli"),
      "src/tasks/index.ts",
    ],
    packages: [],
    node: ["node:fs", "node:fs/promises"],
  },
  "src/provisioner/cli/render/": {
    ours: ["src/provisioner/core/", "src/provisioner/cli/"],
    packages: ["diff", "listr2", "picocolors"],
    node: ["node:fs", "node:module", "node:path"],
  },
  "src/provisioner/main.ts": {
    ours: ["src/provisioner/cli/", "src/provisioner/shell-of-process.ts"],
    packages: [],
    node: ["node:process"],
  },
  "src/provisioner/shell-of-process.ts": { ours: ["src/provisioner/cli/"], packages: [], node: ["*"] },
  "src/tasks/": {
    ours: [
      ...["read-only-root", "schema", "state-layout", "task"].map(
        (name) => `src/provisioner/core/${name}.ts`,
      ),
      "src/tasks/scripts/",
    ],
    packages: ["typebox"],
  },
  // What it keeps is YAML, which may be written in many ways and mean the same.
  "src/tasks/network/": {
    ours: ["network-card", "patterns", "schema", "task"].map((name) => `src/provisioner/core/${name}.ts`),
    packages: ["typebox", "yaml"],
  },
  "src/tasks/index.ts": { ours: ["src/provisioner/core/task.ts", "src/tasks/"], packages: [] },
};

/** Who may touch the process itself: its arguments, environment, number. */
const processUsers = [
  "src/provisioner/main.ts",
  "src/provisioner/shell-of-process.ts",
  ...at("local", "image", "doctor", "host", "libvirt", "pins"),
];

/** Everything that is loaded with these files: not what is asked for later, nor types. */
function loadedWith(roots: readonly string[], files: readonly SourceFile[]): ReadonlySet<string> {
  const found = new Set<string>();
  const waiting = [...roots];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    const text = files.find(({ path }) => path === name)?.text;
    const kept = text?.replaceAll(/\b(?:import|export) type\b[^;]*;|\bimport\(/g, "");
    if (kept !== undefined) waiting.push(...importsOf(name, kept));
  }
  return found;
}

describe("the import table", () => {
  const files = sourceFiles("src");

  it("has a row for every folder", () => {
    const without = files.filter(({ path }) => rowOf(path) === undefined).map(({ path }) => path);

    expect(files.length).toBeGreaterThan(50);
    expect(without).toEqual([]);
  });

  it("is kept by every file", () => {
    expect(files.flatMap(breaches)).toEqual([]);
  });

  it("takes only types from typebox, whose loading costs every start", () => {
    const loading = files.filter(({ text }) =>
      /^import (?!type\b)[^;]*"typebox"/m.test(withoutComments(text)),
    );

    expect(loading.map(({ path }) => path)).toEqual([]);
  });

  it("lets a run over SSH load little but itself, ssh2 and yaml", () => {
    const apply = "src/provisioner/cli/commands/apply.ts";
    const begun = files.find(({ path }) => path === apply)?.imports.filter((name) => name.endsWith(".ts"));

    const running = loadedWith(
      ["src/provisioner/main.ts", "src/provisioner/cli/program.ts", apply, ...(begun ?? [])],
      files,
    );

    const packages = [...running].filter((name) => !/\.ts$|^node:/.test(name));
    expect(packages.toSorted()).toEqual(["commander", "picocolors", "ssh-config", "ssh2", "yaml"]);
    expect(running).not.toContain("src/provisioner/scratch/vagrant-machine.ts");
  });

  it("lets none but a few touch the process", () => {
    const touching = files.filter(({ text }) => /\bprocess\.\w|node:process/.test(withoutComments(text)));

    const others = touching.filter(({ path }) => !processUsers.some((user) => path.startsWith(user)));
    expect(others.map(({ path }) => path)).toEqual([]);
  });

  it("lets nobody speak but the displays", () => {
    const speaking = files.filter(({ text }) =>
      /(?<![.\w])console\.(log|error|warn|info|debug|trace|dir|table)\(/.test(withoutComments(text)),
    );

    expect(
      speaking.map(({ path }) => path).filter((path) => !path.startsWith("src/provisioner/cli/render/")),
    ).toEqual([]);
  });

  it.each([
    ["src/provisioner/core/x.ts", 'import { a } from "../spec/validate.ts";'],
    ["src/provisioner/core/x.ts", 'import { readFile } from "node:fs/promises";'],
    ["src/provisioner/spec/x.ts", 'import { tasks } from "../../tasks/index.ts";'],
    ["src/provisioner/image/x.ts", 'import {\n  Client,\n} from "ssh2";'],
    ["src/provisioner/cli/commands/x.ts", 'const { Listr } = await import("listr2");'],
    ["src/provisioner/cli/commands/x.ts", 'export { tasks } from "../../../tasks/index.ts";'],
    ["src/tasks/a.ts", 'import { b } from "./b.ts";'],
    ["src/tasks/a/index.ts", 'import type { b } from "../b/index.ts";'],
    ["src/tasks/a.ts", 'import "node:fs";'],
    ["src/provisioner/host/x.ts", 'import { buildImage } from "../image/build-image.ts";'],
  ])("is broken by %s with %j", (path, text) => {
    expect(breaches({ path, text, imports: importsOf(path, text) })).toHaveLength(1);
  });

  it.each([
    ["src/provisioner/core/x.ts", 'import type { TSchema } from "typebox";\nimport { b } from "./b.ts";'],
    ["src/tasks/a/index.ts", 'import { b } from "./b.ts";'],
    [
      "src/provisioner/spec/x.ts",
      '// import { Client } from "ssh2";\nimport { Ajv } from "ajv/dist/2020.js";',
    ],
  ])("allows %s with %j", (path, text) => {
    expect(breaches({ path, text, imports: importsOf(path, text) })).toEqual([]);
  });
});

function rowOf(path: string): readonly [string, Row] | undefined {
  return Object.entries(rows)
    .filter(([start]) => path.startsWith(start))
    .toSorted(([one], [other]) => other.length - one.length)[0];
}

function breaches({ path, imports }: SourceFile): readonly string[] {
  const found = rowOf(path);
  if (found === undefined) return [`${path} has no row`];
  const [start, row] = found;
  return imports.filter((name) => !allowed(name, path, start, row)).map((name) => `${path} imports ${name}`);
}

function allowed(name: string, path: string, start: string, row: Row): boolean {
  if (name.startsWith("src/"))
    return isNear(name, path, start) || row.ours.some((ours) => name.startsWith(ours));
  const node = row.node ?? [];
  if (name.startsWith("node:")) return node.includes("*") || node.includes(name);
  return row.packages.some((each) => name === each || name.startsWith(`${each}/`));
}

/** From the same folder. A task imports the files of its own folder, never a task beside it. */
function isNear(name: string, path: string, start: string): boolean {
  if (start !== "src/tasks/") return start.endsWith("/") && name.startsWith(start);
  const folder = /^src\/tasks\/[^/]+\//.exec(path)?.[0];
  return folder !== undefined && name.startsWith(folder);
}

function withoutComments(text: string): string {
  return text.replaceAll(/^\s*(\/\/.*|\/\*\*?[\s\S]*?\*\/)/gm, "");
}
