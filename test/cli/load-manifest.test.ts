import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, it } from "vitest";

import { loadManifest } from "../../src/provisioner/cli/compose.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

const digest = "a".repeat(64);

const whole = `bases: {}
tools:
  hello:
    version: "1.10"
    repo: example/hello
    artifact: hello-{version}.tar.gz
    sha256: { x86_64: ${digest} }
    binary: hello
`;

async function load(text: string): Promise<unknown> {
  const folder = await scratchFolder();
  await writeFile(join(folder, "versions.yaml"), text);
  return await loadManifest({ env: { PROVISION_HOME: folder }, cwd: folder });
}

it("accepts a tool", async () => {
  expect(await load(whole)).toHaveProperty(["tools", "hello", "version"], "1.10");
});

it.each<[string, string, string, string]>([
  [
    "a version without quotes",
    '"1.10"',
    "1.10",
    "4:14 Cannot accept tools.hello.version: must be text (in quotes), is 1.1",
  ],
  [
    "a digest that is too short",
    digest,
    "abc",
    "7:23 Cannot accept tools.hello.sha256.x86_64: must match ^[0-9a-f]{64}$",
  ],
  [
    "an unknown word",
    "{version}",
    "{vresion}",
    "6:15 Cannot accept tools.hello.artifact: must name known variables",
  ],
  ["a key nobody knows", "repo:", "repository:", "5:5 Cannot accept tools.hello.rep"],
  ["a second tool of the name", "tools:\n", "tools:\n  hello: {}\n", "4:3 "],
])("says where %s stands", async (_what, from, to, says) => {
  const text = whole.replace(from, to);

  const failure = load(text);

  await expect(failure).rejects.toMatchObject({ code: "SPEC_INVALID" });
  expect(await failure.catch(complaints)).toContain(says);
});

const repository = `bases: {}
repositories:
  agent:
    uris: ["https://packages.example.org/{distribution}"]
    suites: ["{codename}"]
    components: [main]
    key: { url: "https://packages.example.org/key.asc", fingerprints: [${"A".repeat(40)}] }
`;

it("accepts a repository, a flat one too", async () => {
  const flat = repository.replace('"{codename}"', "./").replace("    components: [main]\n", "");

  expect(await load(repository)).toHaveProperty(["repositories", "agent", "components"], ["main"]);
  expect(await load(flat)).toHaveProperty(["repositories", "agent", "suites"], ["./"]);
});

it.each<[string, string, string, string]>([
  [
    "a word that nobody fills in",
    "{distribution}",
    "{release}",
    "4:12 Cannot accept repositories.agent.uris[0]: must name known words ({distribution} or {codename}), names {release}",
  ],
  [
    "a repository without components",
    "    components: [main]\n",
    "",
    "3:3 Cannot accept repositories.agent: must have components",
  ],
  [
    "a fingerprint that is too short",
    "A".repeat(40),
    "ABCD",
    "7:72 Cannot accept repositories.agent.key.fingerprints[0]",
  ],
])("says where %s stands", async (_what, from, to, says) => {
  const failure = load(repository.replace(from, to));

  await expect(failure).rejects.toMatchObject({ code: "SPEC_INVALID" });
  expect(await failure.catch(complaints)).toContain(says);
});

function complaints(error: unknown): string {
  const { facts } = error as {
    facts: { complaints: { where: { line: number; column: number }; what: string }[] };
  };
  return facts.complaints.map(({ where, what }) => `${where.line}:${where.column} ${what}`).join("\n");
}
