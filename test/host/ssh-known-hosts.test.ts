import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { hostKeyPolicy } from "../../src/provisioner/host/host-key-policy.ts";
import { findKnown, fingerprint, parsePublicKey } from "../../src/provisioner/host/known-hosts.ts";
import { ownTarget, type SshTarget } from "../../src/provisioner/host/ssh-target.ts";
import { makeKey, publicKeyOf } from "../support/ssh-server.ts";

const exec = promisify(execFile);
const ed = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG9uZW9uZW9uZW9uZW9uZW9uZW9uZW9uZW9uZW9uZW9u";
const other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHR3b3R3b3R3b3R3b3R3b3R3b3R3b3R3b3R3b3R3b3R3";
const rsa = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAQA=";

function blob(line: string): Buffer {
  return parsePublicKey(line)?.blob ?? Buffer.alloc(0);
}

describe("findKnown", () => {
  it.each([
    { file: `db1 ${ed}`, name: "db1", keys: 1 },
    { file: `db1 ${ed}`, name: "db2", keys: 0 },
    { file: `DB1 ${ed}`, name: "db1", keys: 1 },
    { file: `db1,10.0.0.1 ${ed} a comment`, name: "10.0.0.1", keys: 1 },
    { file: `db1 ${ed}`, name: "[db1]:2222", keys: 0 },
    { file: `[db1]:2222 ${ed}`, name: "[db1]:2222", keys: 1 },
    { file: `[db1]:2222 ${ed}`, name: "db1", keys: 0 },
    { file: `*.example.org ${ed}`, name: "db1.example.org", keys: 1 },
    { file: `*.example.org ${ed}`, name: "db1xexample.org", keys: 0 },
    { file: `db? ${ed}`, name: "db1", keys: 1 },
    { file: `db? ${ed}`, name: "db", keys: 0 },
    { file: `*.example.org,!db1.example.org ${ed}`, name: "db1.example.org", keys: 0 },
    { file: `!db1.example.org,*.example.org ${ed}`, name: "db2.example.org", keys: 1 },
    { file: `db1 ${ed}\ndb1 ${rsa}`, name: "db1", keys: 2 },
    { file: `# db1 ${ed}`, name: "db1", keys: 0 },
    { file: `db1 ssh-ed25519 not-base64!`, name: "db1", keys: 0 },
    { file: `db1 ${ed.replace("ssh-ed25519", "ssh-rsa")}`, name: "db1", keys: 0 },
    { file: `\r\ndb1\t${ed}\r\n`, name: "db1", keys: 1 },
  ])("finds $keys keys of $name in: $file", ({ file, name, keys }) => {
    expect(findKnown(file, name).keys).toHaveLength(keys);
  });

  it("keeps revoked keys apart from trusted ones", () => {
    const known = findKnown(`@revoked * ${other}\ndb1 ${ed}`, "db1");

    expect(known.keys).toHaveLength(1);
    expect(known.revoked).toEqual([parsePublicKey(other)]);
  });

  it("says so when a certificate authority speaks for the name", () => {
    expect(findKnown(`@cert-authority *.example.org ${ed}`, "db1.example.org")).toEqual({
      keys: [],
      revoked: [],
      authority: true,
    });
  });
});

describe("with files of ssh-keygen", () => {
  let dir: string;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "provision-known-"));
  });

  afterAll(() => rm(dir, { recursive: true, force: true }));

  it("finds hashed names, with and without a port", async () => {
    const file = join(dir, "hashed");
    await writeFile(file, `db1.example.org ${ed}\n[db1.example.org]:2222 ${other}\n`);
    await exec("ssh-keygen", ["-H", "-f", file]);

    const text = await readFile(file, "utf8");

    expect(text).not.toContain("db1");
    expect(findKnown(text, "db1.example.org").keys).toEqual([parsePublicKey(ed)]);
    expect(findKnown(text, "[db1.example.org]:2222").keys).toEqual([parsePublicKey(other)]);
    expect(findKnown(text, "db2.example.org").keys).toEqual([]);
  });

  it("prints fingerprints as ssh-keygen does", async () => {
    const file = join(dir, "key");
    await makeKey(file, "ed25519");
    const { stdout } = await exec("ssh-keygen", ["-l", "-f", file]);

    const key = parsePublicKey(await publicKeyOf(file));

    expect(key && fingerprint(key.blob)).toBe(stdout.split(" ")[1]);
  });
});

describe("hostKeyPolicy", () => {
  let dir: string;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "provision-policy-"));
  });

  afterAll(() => rm(dir, { recursive: true, force: true }));

  async function targetWith(text: string): Promise<SshTarget> {
    const file = join(dir, `${Math.random()}`);
    await writeFile(file, text);
    const { hostKey: _, ...target } = ownTarget({ host: "db1", user: "root", hostKey: ed, privateKey: "" });
    return { ...target, knownHosts: [file, join(dir, "absent")] };
  }

  it.each([
    { name: "the same key", text: `db1 ${ed}`, code: undefined },
    { name: "one of two keys", text: `db1 ${other}\ndb1 ${ed}`, code: undefined },
    { name: "another key", text: `db1 ${other}`, code: "HOST_KEY_DIFFERS" },
    { name: "a key of another type only", text: `db1 ${rsa}`, code: "HOST_KEY_DIFFERS" },
    { name: "no line", text: `db2 ${ed}`, code: "HOST_KEY_UNKNOWN" },
    { name: "an empty file", text: "", code: "HOST_KEY_UNKNOWN" },
    { name: "the key revoked", text: `db1 ${ed}\n@revoked * ${ed}`, code: "HOST_KEY_REVOKED" },
    { name: "only an authority", text: `@cert-authority db1 ${other}`, code: "HOST_KEY_AUTHORITY" },
    { name: "an authority and the key", text: `@cert-authority db1 ${other}\ndb1 ${ed}`, code: undefined },
  ])("judges the machine's key by known_hosts with $name: $code", async ({ text, code }) => {
    const policy = await hostKeyPolicy(await targetWith(text));

    expect(policy.judge(blob(ed))?.code).toBe(code);
  });

  it("asks first for the key types it knows", async () => {
    const policy = await hostKeyPolicy(await targetWith(`db1 ${rsa}`));

    expect(policy.algorithms.slice(0, 2)).toEqual(["rsa-sha2-512", "rsa-sha2-256"]);
    expect(policy.algorithms).toContain("ssh-ed25519");
    expect(policy.algorithms).not.toContain("ssh-rsa");
  });

  it("names both fingerprints and the way out when the key differs", async () => {
    const target = await targetWith(`db1 ${other}`);

    const error = (await hostKeyPolicy(target)).judge(blob(ed));

    expect(error?.message).toContain(fingerprint(blob(ed)));
    expect(error?.message).toContain(fingerprint(blob(other)));
    expect(error?.mend).toContain(`ssh-keygen -f "${target.knownHosts[0]}" -R "db1"`);
    expect(error?.exitCode).toBe(4);
  });

  it("gives the very line to add when the key is unknown", async () => {
    const target = await targetWith("");

    const error = (await hostKeyPolicy(target)).judge(blob(ed));

    expect(error?.mend).toContain(`echo 'db1 ${ed}' >> "${target.knownHosts[0]}"`);
  });

  it("lets only the pinned key in when one is pinned, whatever known_hosts say", async () => {
    const target = { ...(await targetWith(`db1 ${ed}`)), hostKey: other };

    const policy = await hostKeyPolicy(target);

    expect(policy.judge(blob(ed))?.code).toBe("HOST_KEY_DIFFERS");
    expect(policy.judge(blob(other))).toBeUndefined();
  });

  it("refuses a pinned key that is none", async () => {
    const target = { ...(await targetWith("")), hostKey: "ssh-ed25519 AAAA" };

    await expect(hostKeyPolicy(target)).rejects.toMatchObject({ code: "USAGE" });
  });

  it("does not take an unreadable file for an empty one", async () => {
    const target = { ...(await targetWith("")), knownHosts: [dir] };

    await expect(hostKeyPolicy(target)).rejects.toMatchObject({ code: "SSH_CONFIG_REFUSED" });
  });
});
