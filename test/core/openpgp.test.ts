import { describe, expect, it } from "vitest";

import { otherThanPinned, readKeys } from "../../src/provisioner/core/openpgp.ts";
import { exampleKey } from "../../src/tasks/apt-repository/example-key.ts";

const pinned = [exampleKey.fingerprint];

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

describe("otherThanPinned", () => {
  const zeros = "0".repeat(40);

  it("says nothing of the pinned key, however gpg writes its fingerprint", () => {
    const spaced = exampleKey.fingerprint.toLowerCase().replace(/(.{4})(?=.)/g, "$1 ");

    expect(otherThanPinned(exampleKey.text, [spaced])).toBeUndefined();
  });

  it.each([
    ["another key", exampleKey.text, [zeros], `must have the fingerprint ${zeros}, has ${pinned[0]}`],
    [
      "one that lacks a key",
      exampleKey.text,
      [...pinned, zeros],
      `must hold ${zeros}, holds only ${pinned[0]}`,
    ],
    ["no key", "<html>", pinned, 'must hold "-----BEGIN'],
  ])("names what is wrong with %s", (_what, text, wanted, says) => {
    expect(otherThanPinned(text, wanted)).toContain(says);
  });
});
