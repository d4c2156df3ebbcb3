import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { authorizedKeys } from "../../src/provisioner/deploy/authorized-keys.ts";
import type { KeySource } from "../../src/provisioner/spec/host-spec.ts";
import { somePublicKey } from "../support/public-key.ts";
import { scratchFolder } from "../support/scratch-folder.ts";
import { someHost } from "../support/some-host.ts";

const [one, two, three] = ["one", "two", "three"].map(somePublicKey) as [string, string, string];

/** Users of these names, with these keys. */
function people(keys: Readonly<Record<string, readonly KeySource[]>>) {
  const [user] = someHost().users;
  if (user === undefined) throw new Error("nobody");
  return Object.entries(keys).map(([name, sources]) => ({ ...user, name, keys: sources }));
}

const agent: KeySource = { kind: "agent" };

describe("authorizedKeys", () => {
  it("takes lines, files and what the agent holds, each key once, in the order of the host's file", async () => {
    const home = await scratchFolder();
    await writeFile(join(home, "mine.pub"), `# mine\n${two}\n${one}\n`);
    let asked = 0;
    const agentKeys = async () => {
      asked += 1;
      return [three];
    };

    const found = await authorizedKeys(
      people({
        alice: [{ kind: "line", line: one }, { kind: "file", path: "~/mine.pub" }, agent],
        bob: [agent, { kind: "file", path: join(home, "mine.pub") }],
        carol: [{ kind: "line", line: three }],
      }),
      { home, agentKeys },
    );

    expect([...found]).toEqual([
      ["alice", [one, two, three]],
      ["bob", [three, two, one]],
      ["carol", [three]],
    ]);
    expect(asked).toBe(1);
  });

  it("leaves the agent alone when nobody needs it", async () => {
    const found = authorizedKeys(people({ alice: [{ kind: "line", line: one }] }), {
      home: "/nowhere",
      agentKeys: () => Promise.reject(new Error("no agent")),
    });

    expect(await found).toEqual(new Map([["alice", [one]]]));
  });

  it.each<[what: string, source: KeySource, says: string, mend: string]>([
    [
      "an agent without keys",
      agent,
      'let "alice" in by the keys of the SSH agent: it must hold one',
      "ssh-add",
    ],
    [
      "a file that is not there",
      { kind: "file", path: "~/gone.pub" },
      "gone.pub: must be a file",
      "ssh-keygen",
    ],
    ["a private key", { kind: "file", path: "~/private" }, "whole public keys", "ends in .pub"],
    ["a file of nothing", { kind: "file", path: "~/empty.pub" }, "whole public keys", "ends in .pub"],
  ])("refuses %s", async (_what, source, says, mend) => {
    const home = await scratchFolder();
    await writeFile(join(home, "private"), "-----BEGIN OPENSSH PRIVATE KEY-----\n");
    await writeFile(join(home, "empty.pub"), "# nobody\n");
    const found = authorizedKeys(people({ alice: [source] }), { home, agentKeys: async () => [] });

    await expect(found).rejects.toMatchObject({
      code: "USAGE",
      facts: { what: expect.stringContaining(says) as string, mend: expect.stringContaining(mend) as string },
    });
  });
});
