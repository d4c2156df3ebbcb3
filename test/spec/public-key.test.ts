import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { isPublicKey, keyFileFormat, keyLines } from "../../src/provisioner/spec/public-key.ts";
import { somePublicKey } from "../support/public-key.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

const key = somePublicKey("alice@desk, her second key");
const [type = "", blob = ""] = key.split(" ");

describe("isPublicKey", () => {
  it.each([
    ["a key with a comment", key, true],
    ["a key without one", `${type} ${blob}`, true],
    ["one that was cut off", `${type} ${blob.slice(0, -8)}`, false],
    ["one with something behind it", `${type} ${blob}AAAA`, false],
    ["one of another kind than it says", `ssh-rsa ${blob}`, false],
    ["the kind alone", type, false],
    ["a kind that nothing follows inside", `${type} AAAAC3NzaC1lZDI1NTE5`, false],
    ["one with options before it", `restrict ${key}`, false],
    ["two lines", `${key}\n${key}`, false],
    ["a private key", "-----BEGIN OPENSSH PRIVATE KEY-----", false],
  ])("is right about %s", (_title, line, is) => {
    expect(isPublicKey(line)).toBe(is);
  });
});

describe("keyLines", () => {
  it("leaves out comments and empty lines", () => {
    expect(keyLines(`# mine\n\n${key}\r\n  ${key}`)).toEqual([key, key]);
  });
});

describe("keyFileFormat", () => {
  it("wants a file of whole keys beside the host's, and leaves a person's own for later", async () => {
    const folder = await scratchFolder();
    await writeFile(join(folder, "team.pub"), `${key}\n${key}\n`);
    await writeFile(join(folder, "empty.pub"), "# nobody\n");
    await writeFile(join(folder, "private"), "-----BEGIN OPENSSH PRIVATE KEY-----\n");
    const says = keyFileFormat(folder);

    expect(["team.pub", "~/.ssh/id.pub", "/etc/keys"].map(says)).toEqual([undefined, undefined, undefined]);
    expect(says("gone.pub")).toContain("is missing: gone.pub");
    for (const file of ["empty.pub", "private"])
      expect(says(file)).toContain("must be a file of whole public");
  });
});
