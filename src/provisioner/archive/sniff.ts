import { Header } from "tar/header";

import type { ArtifactFormat } from "../core/tool-pin.ts";
import { Refusal } from "./refusal.ts";

/** What the first bytes of each format say. */
const expected: Readonly<Record<ArtifactFormat, readonly string[]>> = {
  tar: ["a tar"],
  "tar.gz": ["gzip"],
  "tar.xz": ["xz"],
  "tar.zst": ["zstd"],
  zip: ["a zip"],
  raw: ["an ELF program", "a script"],
};

/** Beginnings of files that turn up in the place of others; the first that fits names it. */
const beginnings: readonly (readonly [beginning: Buffer, kind: string])[] = [
  [Buffer.from("1f8b", "hex"), "gzip"],
  [Buffer.from("fd377a585a00", "hex"), "xz"],
  [Buffer.from("28b52ffd", "hex"), "zstd"],
  [Buffer.from("PK\u0003\u0004"), "a zip"],
  [Buffer.from("PK\u0005\u0006"), "an empty zip"],
  [Buffer.from("BZh"), "bzip2"],
  [Buffer.from("377abcaf271c", "hex"), "7z"],
  [Buffer.from("!<arch>\n"), "a Debian package or another ar archive"],
  [Buffer.from("edabeedb", "hex"), "an RPM package"],
  [Buffer.from("\u007fELF"), "an ELF program"],
  [Buffer.from("#!"), "a script"],
  [Buffer.from("cffaedfe", "hex"), "a macOS program"],
  [Buffer.from("cafebabe", "hex"), "a macOS program"],
  [Buffer.from("MZ"), "a Windows program"],
];

/** Throws when a file that begins with `head` is not what its format says; names both. */
export function checkFormat(format: ArtifactFormat, head: Buffer): void {
  const wanted = expected[format];
  const found = kindOf(head);
  if (!wanted.includes(found))
    throw new Refusal("kind", `must be ${wanted.join(" or ")}, as format ${format} is, is ${found}`);
}

/** What a file that begins like this is, in words. The first 512 bytes tell. */
export function kindOf(head: Buffer): string {
  if (head.length === 0) return "empty";
  if (isTarHeader(head)) return "a tar";
  const known = beginnings.find(([beginning]) => head.subarray(0, beginning.length).equals(beginning));
  return known?.[1] ?? textKind(head.toString("latin1").trimStart().toLowerCase());
}

/** A checksum that is right (v7 has nothing else), or the word that every later tar writes. */
function isTarHeader(head: Buffer): boolean {
  if (head.length < 512) return false;
  if (head.toString("latin1", 257, 262) === "ustar") return true;
  try {
    return new Header(head.subarray(0, 512)).cksumValid;
  } catch {
    // Its number fields are no numbers.
    return false;
  }
}

function textKind(text: string): string {
  if (/^<(!doctype html|html|head)\b/.test(text)) return "a web page";
  if (text.startsWith("<?xml")) return "an XML document";
  if (/^[{[]/.test(text)) return "a JSON document";
  // oxlint-disable-next-line no-control-regex -- bytes that no text has are what is looked for
  return /^[^\u0000-\u0008\u000e-\u001f]+$/.test(text) ? "a text" : "something unknown";
}
