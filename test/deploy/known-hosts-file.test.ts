import { createHmac, randomBytes } from "node:crypto";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { forgetHost, isRemembered, rememberHost } from "../../src/provisioner/deploy/known-hosts-file.ts";
import { findKnown } from "../../src/provisioner/host/known-hosts.ts";
import { holdLock } from "../../src/provisioner/local/lock.ts";
import { somePublicKey } from "../support/public-key.ts";
import { quietRun } from "../support/quiet-run.ts";

let folder = "";
let file = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "provision-known-"));
  file = join(folder, "state", "known_hosts");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const run = quietRun();
const [one, other] = ["", ""].map((comment) => somePublicKey(comment).trim()) as [string, string];
const text = () => readFile(file, "latin1");

describe("rememberHost", () => {
  it("makes the file, for its owner alone", async () => {
    await rememberHost(file, "web", `${one} alice@desk`, run);

    expect(await text()).toBe(`web ${one}\n`);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(folder, "state"))).toEqual(["known_hosts"]);
  });

  it("replaces the keys of its name, and keeps every other line byte for byte", async () => {
    await rememberHost(file, "web", one, run);
    const kept = `# \xe9 as latin1\r\n\n  db ${one}\nweb2 ${one}\n@revoked web ${one}\n*.web ${one}`;
    await writeFile(file, `web ${one}\nWEB ssh-rsa AAAA\nmail,web ${other} both\n${kept}`, "latin1");
    await chmod(file, 0o644);

    await rememberHost(file, "web", other, run);

    expect(await text()).toBe(`mail ${other} both\n${kept}\nweb ${other}\n`);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it("leaves a file that says so already alone", async () => {
    await rememberHost(file, "web", one, run);
    await rememberHost(file, "db", one, run);
    const before = await stat(file);

    await rememberHost(file, "web", one, run);

    expect((await stat(file)).ino).toBe(before.ino);
  });

  it("refuses what is no key", () => {
    expect(() => rememberHost(file, "web", "ssh-ed25519 AAAA\nevil ssh-rsa AAAA", run)).toThrow(
      "no public key",
    );
  });

  it("loses nothing when many do it at once", async () => {
    const names = Array.from({ length: 20 }, (_, index) => `host${index}`);

    await Promise.all(names.map((name) => rememberHost(file, name, one, run)));

    expect((await text()).trimEnd().split("\n").toSorted()).toEqual(
      names.map((name) => `${name} ${one}`).toSorted(),
    );
  });

  it("waits for another process that is at it", async () => {
    const held = await holdLock(join(folder, "known_hosts"), "it", run);
    const remembered = rememberHost(join(folder, "known_hosts"), "web", one, run);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await writeFile(join(folder, "known_hosts"), `db ${other}\n`);
    await held[Symbol.asyncDispose]();

    await remembered;

    expect(await readFile(join(folder, "known_hosts"), "utf8")).toBe(`db ${other}\nweb ${one}\n`);
  });

  it("writes what ssh's own rules find", async () => {
    await rememberHost(file, "web", one, run);

    expect(findKnown(await text(), "web").keys).toHaveLength(1);
    expect(findKnown(await text(), "web2").keys).toHaveLength(0);
  });
});

describe("forgetHost", () => {
  it("takes out the lines of a name, hashed ones too, and no others", async () => {
    await rememberHost(file, "db", one, run);
    await writeFile(file, `${hashed("web")} ${one}\n${hashed("mail")} ${one}\nweb ${other}\ndb ${one}\n`);
    const before = (await text()).split("\n");

    expect(await isRemembered(file, "web")).toBe(true);
    await forgetHost(file, "web", run);

    expect(await text()).toBe(`${before[1]}\ndb ${one}\n`);
    expect(await isRemembered(file, "web")).toBe(false);
  });

  it("is content with a file that is not there", async () => {
    await forgetHost(file, "web", run);

    expect(await isRemembered(file, "web")).toBe(false);
    expect(await readdir(join(folder, "state"))).toEqual([]);
  });
});

function hashed(name: string): string {
  const salt = randomBytes(20);
  const hash = createHmac("sha1", salt).update(name).digest("base64");
  return `|1|${salt.toString("base64")}|${hash}`;
}
