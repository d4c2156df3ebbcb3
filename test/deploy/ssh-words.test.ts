import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { sshWords } from "../../src/provisioner/deploy/ssh-words.ts";
import type { SshTarget } from "../../src/provisioner/host/ssh-target.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "provision-ssh-words-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const target = (changes: Partial<SshTarget> = {}): SshTarget => ({
  host: "192.0.2.10",
  port: 22,
  user: "alice",
  knownAs: "web",
  knownHosts: [],
  identityFiles: [],
  identitiesOnly: false,
  agent: undefined,
  jumps: [],
  ...changes,
});

describe("sshWords", () => {
  it("takes no key but the one that was made for the host", () => {
    expect(sshWords(target(), { knownHosts: "/state/known hosts", command: ["uname", "-r"] })).toEqual([
      "ssh",
      "-o",
      "HostKeyAlias=web",
      "-o",
      'UserKnownHostsFile="/state/known hosts"',
      "-o",
      "GlobalKnownHostsFile=none",
      "-o",
      "StrictHostKeyChecking=yes",
      "-l",
      "alice",
      "192.0.2.10",
      "--",
      "uname",
      "-r",
    ]);
  });

  it("offers the keys that are there", async () => {
    const key = join(folder, "key");
    await writeFile(key, "");

    const words = sshWords(target({ identityFiles: [key, join(folder, "gone")], identitiesOnly: true }), {
      knownHosts: "/k",
      command: [],
    });

    expect(words.join(" ")).toContain(`-o IdentitiesOnly=yes -i ${key} -l alice`);
    expect(words.join(" ")).not.toContain("gone");
  });

  it("goes through the machines on the way, each by its own keys, whatever their names hold", async () => {
    const key = join(folder, "it's");
    await writeFile(key, "");
    const hypervisor = target({
      host: "hv.example.org",
      port: 2222,
      user: "root",
      identityFiles: [key],
      knownHosts: ["/home/a b/known_hosts"],
    });

    const words = sshWords(target({ jumps: [hypervisor] }), { knownHosts: "/k", command: [] });

    expect(words.find((word) => word.startsWith("ProxyCommand="))).toBe(
      `ProxyCommand=ssh -o 'UserKnownHostsFile="/home/a b/known_hosts"' -i '${key.replace("'", String.raw`'\''`)}' -p 2222 -l root -W [%h]:%p hv.example.org`,
    );
  });
});
