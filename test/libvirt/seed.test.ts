import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { assert, property, string } from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";

import { makeKeyPair } from "../../src/provisioner/libvirt/host-keys.ts";
import { builderSeed, makeSeed, seedFiles } from "../../src/provisioner/libvirt/seed.ts";

const run = promisify(execFile);
const hostKey = { privateKey: "-----BEGIN X-----\nabc\n-----END X-----\n", publicKey: "ssh-ed25519 AAAA" };
const seed = builderSeed({
  instanceId: "iid-1",
  hostKey,
  user: "builder",
  authorizedKey: "ssh-ed25519 BBBB controller",
});
let folder = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "provision-seed-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("builderSeed", () => {
  it("is what cloud-init needs for one user with one key and our host key", () => {
    const files = seedFiles(seed);

    expect(files["user-data"]?.split("\n")[0]).toBe("#cloud-config");
    expect(parse(files["meta-data"] ?? "")).toEqual({ "instance-id": "iid-1", "local-hostname": "builder" });
    expect(parse(files["user-data"] ?? "")).toEqual({
      hostname: "builder",
      ssh_deletekeys: true,
      ssh_keys: { ed25519_private: hostKey.privateKey, ed25519_public: hostKey.publicKey },
      users: [
        {
          name: "builder",
          shell: "/bin/bash",
          lock_passwd: true,
          sudo: "ALL=(ALL) NOPASSWD:ALL",
          ssh_authorized_keys: ["ssh-ed25519 BBBB controller"],
        },
      ],
      ssh_pwauth: false,
      disable_root: true,
      package_update: false,
    });
  });
});

describe("seedFiles", () => {
  it("keeps any text as it is", () => {
    assert(
      property(string({ unit: "binary" }), (text) => {
        const files = seedFiles({ metaData: { text }, userData: { list: [{ [text]: text }] } });

        expect(parse(files["meta-data"] ?? "", { version: "1.1" })).toEqual({ text });
        expect(parse(files["user-data"] ?? "", { version: "1.1", stringKeys: true })).toEqual({
          list: [{ [text]: text }],
        });
      }),
    );
  });

  it.each(["yes", "off", "0755", "1:30", "null", "~", "1e3", "2024-01-01", "no: #x"])(
    "quotes %s, which YAML 1.1 would read as something else",
    (text) => {
      const files = seedFiles({ metaData: { text }, userData: {} });

      expect(files["meta-data"]).toBe(`"text": "${text}"\n`);
    },
  );

  it("has a network-config only when one is given", () => {
    const networkConfig = { version: 2, ethernets: { all: { match: { name: "e*" }, dhcp4: true } } };

    expect(Object.keys(seedFiles(seed))).toEqual(["meta-data", "user-data"]);
    expect(parse(seedFiles({ ...seed, networkConfig })["network-config"] ?? "")).toEqual(networkConfig);
  });
});

describe("makeSeed", () => {
  it("writes a FAT disk labelled CIDATA that holds the files and is its owner's alone", async () => {
    const path = join(folder, "seed.img");

    await makeSeed(seed, path);

    const { stdout: label } = await run("mlabel", ["-i", path, "-s", "::"]);
    const { stdout: userData } = await run("mtype", ["-i", path, "::user-data"]);
    const { stdout: metaData } = await run("mtype", ["-i", path, "::meta-data"]);
    expect(label).toContain("CIDATA");
    expect({ "meta-data": metaData, "user-data": userData }).toEqual(seedFiles(seed));
    expect(((await stat(path)).mode & 0o777).toString(8)).toBe("600");
    expect(await readdir(folder)).toEqual(["seed.img"]);
  });

  it("replaces a seed that is there", async () => {
    const path = join(folder, "seed.img");
    await writeFile(path, "old");

    await makeSeed(seed, path);

    expect((await run("mtype", ["-i", path, "::meta-data"])).stdout).toContain("iid-1");
  });

  it("names the program and leaves nothing when the files do not fit", async () => {
    const path = join(folder, "seed.img");
    const big = { metaData: {}, userData: { write_files: [{ content: "x".repeat(2_000_000) }] } };

    await expect(makeSeed(big, path)).rejects.toMatchObject({
      code: "SEED_FAILED",
      facts: { program: "mcopy" },
    });
    expect(await readdir(folder)).toEqual([]);
  });
});

describe("makeKeyPair", () => {
  it("makes an OpenSSH key whose public half belongs to it", async () => {
    const pair = await makeKeyPair();
    const path = join(folder, "key");
    await writeFile(path, pair.privateKey, { mode: 0o600 });

    const { stdout } = await run("ssh-keygen", ["-y", "-f", path]);

    expect(stdout.trim()).toBe(pair.publicKey);
    expect(pair.publicKey).toMatch(/^ssh-ed25519 \S+$/);
    expect(await readFile(path, "utf8")).toMatch(/^-----BEGIN OPENSSH PRIVATE KEY-----\n[\s\S]+\n$/);
  });
});
