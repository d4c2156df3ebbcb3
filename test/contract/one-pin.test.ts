import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";
import { parse } from "yaml";

import type { Manifest } from "../../src/provisioner/pins/manifest.ts";
import { packageRoot } from "../../src/provisioner/cli/project.ts";

const root = packageRoot();
const { tools = {} } = parse(readFileSync(join(root, "versions.yaml"), "utf8")) as Manifest;

/** The digests of a tool, its further files' too. */
const digestsOf = (tool: NonNullable<Manifest["tools"]>[string]) =>
  [tool, ...(tool.parts ?? [])].flatMap(({ sha256 }) =>
    typeof sha256 === "string" ? [sha256] : Object.values(sha256),
  );

const digests = new Map(
  Object.entries(tools).flatMap(([name, tool]) => digestsOf(tool).map((hex) => [hex, name])),
);

/** A line that says the version of a tool: the one beside a name of the other. */
const sayings = Object.entries(tools).map(([name, { version, repo = "", binary }]) => {
  const commands =
    typeof binary === "object" ? Object.keys(binary) : [(binary ?? "").split("/").at(-1) ?? ""];
  const names = [...new Set([name, name.replaceAll("_", "-"), repo.split("/").at(-1) ?? "", ...commands])];
  const named = new RegExp(`(?<![\\w-])(${names.filter(Boolean).map(escape).join("|")})(?![\\w])`, "i");
  const versioned = new RegExp(`(?<![\\w.-])v?${escape(version)}(?![\\w.]*\\d)`);
  return { name, says: (line: string) => versioned.test(line.replaceAll(/[-_@]/g, " ")) && named.test(line) };
});

function escape(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

/** Second pins in a text, as `tool: line`. */
function secondPins(text: string): readonly string[] {
  return text
    .split("\n")
    .flatMap((line) => [
      ...[...digests].filter(([hex]) => line.includes(hex)).map(([, name]) => `${name}: ${line.trim()}`),
      ...sayings.filter(({ says }) => says(line)).map(({ name }) => `${name}: ${line.trim()}`),
    ]);
}

describe("versions.yaml", () => {
  it("is the only place that pins a tool", () => {
    const files = execFileSync(
      "git",
      ["-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
      {
        encoding: "utf8",
      },
    )
      .split("\0")
      // npm's own lock pins npm's own packages.
      .filter((file) => file !== "" && file !== "versions.yaml" && file !== "package-lock.json");

    const found = files.flatMap((file) => secondPins(read(join(root, file))).map((pin) => `${file}: ${pin}`));

    expect(files.length).toBeGreaterThan(200);
    expect(digests.size).toBeGreaterThan(60);
    expect(found).toEqual([]);
  });

  const [name = "", tool] = Object.entries(tools)[0] ?? [];

  it.each([
    `install ${name} ${tool?.version}`,
    `${name}-v${tool?.version}-x86_64.tar.gz`,
    `  ${name}: { version: "${tool?.version}" }`,
    `${name}@${tool?.version}`,
    `echo ${[...digests.keys()][0]}`,
  ])("is not alone when somebody writes %j", (line) => {
    expect(secondPins(line)).toHaveLength(1);
  });

  it.each([`${name} is a tool`, `"something": "${tool?.version}"`, `${name} ${tool?.version}1`])(
    "does not mind %j",
    (line) => {
      expect(secondPins(line)).toEqual([]);
    },
  );
});

/** A file that is listed may be gone from the work tree. */
function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
