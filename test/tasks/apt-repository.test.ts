import { describe, expect, it } from "vitest";

import { exampleKey } from "../../src/tasks/apt-repository/example-key.ts";
import { aptRepository } from "../../src/tasks/apt-repository/index.ts";
import { readKeys } from "../../src/tasks/apt-repository/openpgp.ts";
import { emptyMachine } from "../support/fake-host.ts";
import { complaints, refusal, settle, sourcesOf } from "../support/tasks.ts";

const pinned = [exampleKey.fingerprint];
const vendor = {
  name: "vendor",
  uris: ["https://packages.example.org/debian"],
  suites: ["trixie"],
  components: ["main", "extra"],
  architectures: ["amd64"],
  key: { content: exampleKey.text, fingerprints: pinned },
};

/** One packet in the new format, of up to 191 bytes. */
function packet(tag: number, ...body: readonly number[]): readonly number[] {
  return [0xc0 | tag, body.length, ...body];
}

function armour(...bytes: readonly number[]): string {
  const body = Buffer.from(bytes).toString("base64");
  return `-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n${body}\n-----END PGP PUBLIC KEY BLOCK-----\n`;
}

describe("readKeys", () => {
  it("finds the fingerprint that gpg shows", () => {
    expect(readKeys(exampleKey.text)).toEqual({ fingerprints: pinned });
  });

  it("reads headers, carriage returns and a missing checksum", () => {
    const odd = exampleKey.text
      .replace("BLOCK-----\n\n", "BLOCK-----\nVersion: x\nComment: a: b\n\n")
      .replace(/\n=....\n/, "\n")
      .replaceAll("\n", "\r\n");

    expect(readKeys(odd)).toEqual({ fingerprints: pinned });
  });

  it("finds every key of every block", () => {
    expect(readKeys(exampleKey.text + exampleKey.text)).toEqual({ fingerprints: [...pinned, ...pinned] });
  });

  it.each([
    ["no armour", "mDMEawOVqBYJKwYBBAHaRw8BAQdA", /must hold "-----BEGIN/],
    ["no packets", armour(), /BEGIN|holds none/],
    ["no key", armour(...packet(13, 65)), /holds none/],
    ["a secret key", armour(...packet(5, 4)), /holds packet 5/],
    ["an old key", armour(...packet(6, 3, 0)), /version 3/],
    ["a packet that is cut off", armour(0xc6, 50, 4), /cut off/],
    ["pieces", armour(0xc6, 224, 4), /cut off/],
    ["no packet at all", armour(0x00, 1), /cut off/],
    [
      "a second block that is read in another way",
      `${exampleKey.text} -----BEGIN PGP PUBLIC KEY BLOCK-----`,
      /whole/,
    ],
    ["foreign characters", exampleKey.text.replace("mDME", "m*ME"), /must hold|whole/],
  ])("refuses %s", (_what, text, wrong) => {
    expect(readKeys(text)).toEqual({ wrong: expect.stringMatching(wrong) });
  });
});

describe("apt-repository", () => {
  it("writes the key, reads the lists on trial, and only then writes the sources", async () => {
    const host = emptyMachine();

    await settle(aptRepository, vendor, host);

    expect(host.files.read("/etc/apt/keyrings/vendor.asc")).toBe(exampleKey.text);
    expect(host.files.read("/etc/apt/sources.list.d/vendor.sources")).toBe(
      "Types: deb\nURIs: https://packages.example.org/debian\nSuites: trixie\nComponents: main extra\n" +
        "Architectures: amd64\nSigned-By: /etc/apt/keyrings/vendor.asc\n",
    );
    expect(host.journal.filter((line) => !line.startsWith("directory"))).toEqual([
      "write /etc/apt/keyrings/vendor.asc",
      "write /var/lib/provision/trial/vendor.sources",
      "run provision-apt-update 600 /var/lib/provision/trial/vendor.sources",
      "remove /var/lib/provision/trial",
      "write /var/lib/provision/stamps/apt-repository-vendor",
      "write /etc/apt/sources.list.d/vendor.sources",
    ]);
  });

  it("reads the lists again after a change, and after a reading that failed", async () => {
    const host = emptyMachine();
    await settle(aptRepository, vendor, host);
    host.program("provision-apt-update", () => ({ code: 100, stderr: "E: Failed to fetch" }));
    const changed = { ...vendor, suites: ["forky"] };
    await expect(settle(aptRepository, changed, host)).rejects.toMatchObject({
      facts: { tail: "E: Failed to fetch" },
    });
    host.program("provision-apt-update", () => 0);
    host.journal.length = 0;

    await settle(aptRepository, changed, host);

    expect(host.journal).toContainEqual(expect.stringMatching(/^run provision-apt-update/));
  });

  it("leaves apt as it was when the repository does not answer", async () => {
    const host = emptyMachine();
    host.program("provision-apt-update", () => ({ code: 100, stderr: "E: Failed to fetch" }));

    await expect(settle(aptRepository, vendor, host)).rejects.toMatchObject({ code: "ACTION_FAILED" });

    expect(host.files.stat("/etc/apt/sources.list.d/vendor.sources")).toBeUndefined();
  });

  it("takes the fingerprint in gpg's spaced form, and the key from beside the spec", async () => {
    const spaced = exampleKey.fingerprint.toLowerCase().replace(/(.{4})(?=.)/g, "$1 ");
    const key = { source: "keys/vendor.asc", fingerprints: [spaced] };
    const host = emptyMachine();

    await settle(aptRepository, { ...vendor, key }, host, {
      sources: sourcesOf({ "keys/vendor.asc": exampleKey.text }),
    });

    expect(host.files.read("/etc/apt/keyrings/vendor.asc")).toBe(exampleKey.text);
  });

  it("changes nothing when the key is another one than pinned", async () => {
    const host = emptyMachine();
    const key = { ...vendor.key, fingerprints: ["0".repeat(40)] };

    await expect(settle(aptRepository, { ...vendor, key }, host)).rejects.toMatchObject(
      refusal(new RegExp(`must have the fingerprint 0{40}, has ${exampleKey.fingerprint}`)),
    );
    expect(host.journal).toEqual([]);
  });

  it("refuses a pinned key that is not there, too", async () => {
    const key = { ...vendor.key, fingerprints: [...pinned, "0".repeat(40)] };

    await expect(settle(aptRepository, { ...vendor, key }, emptyMachine())).rejects.toMatchObject(
      refusal(/must hold 0{40}/),
    );
  });

  it("leaves no key behind when a keyring takes its place", async () => {
    const host = emptyMachine();
    await settle(aptRepository, vendor, host);
    const { key: _, ...rest } = vendor;

    await settle(aptRepository, { ...rest, keyring: "/usr/share/keyrings/vendor.gpg" }, host);

    expect(host.files.stat("/etc/apt/keyrings/vendor.asc")).toBeUndefined();
  });

  it("removes all that it wrote", async () => {
    const host = emptyMachine();
    const before = host.files.paths();
    await settle(aptRepository, vendor, host);

    await settle(aptRepository, { name: "vendor", state: "absent" }, host);

    const left = host.files.paths().filter((path) => !before.includes(path));
    expect(left.filter((path) => host.files.stat(path)?.type === "file")).toEqual([]);
  });

  it("wants components unless the repository is flat", async () => {
    const { components: _, ...none } = vendor;

    await expect(settle(aptRepository, none, emptyMachine())).rejects.toMatchObject(
      refusal(/must have components/),
    );
    await expect(settle(aptRepository, { ...vendor, suites: ["./"] }, emptyMachine())).rejects.toMatchObject(
      refusal(/must have no components/),
    );
    await expect(settle(aptRepository, { ...none, suites: ["./"] }, emptyMachine())).resolves.toBeDefined();
  });

  it.each([
    ["a name alone", { name: "vendor" }, /"uris"|"suites"|state/],
    ["no key and no keyring", { ...vendor, key: undefined }, /"key"/],
    ["both a key and a keyring", { ...vendor, keyring: "/usr/share/keyrings/a.gpg" }, /"key" or "keyring"/],
    ["a key without a fingerprint", { ...vendor, key: { content: exampleKey.text } }, /fingerprints/],
    ["a short fingerprint", { ...vendor, key: { ...vendor.key, fingerprints: ["ABCD"] } }, /fingerprints/],
    ["another scheme", { ...vendor, uris: ["ftp://x"] }, /uris/],
    ["a blank in a URI", { ...vendor, uris: ["https://x y"] }, /uris/],
    ["a field that is smuggled in", { ...vendor, suites: ["a\nTrusted: yes"] }, /suites/],
    ["a name that is a path", { ...vendor, name: "../x" }, /name/],
  ])("does not accept %s", (_what, params, reason) => {
    const given = Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined));

    expect(complaints(aptRepository, given).join("\n")).toMatch(reason);
  });
});
