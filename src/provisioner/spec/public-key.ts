import { readFileSync } from "node:fs";
import { join } from "node:path";

import { type Format, sourceFormat } from "./formats.ts";

/** Pattern of a public key of SSH, on one line, without options before it. */
export const publicKeyPattern =
  "^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)|sk-ssh-ed25519@openssh\\.com|sk-ecdsa-sha2-nistp256@openssh\\.com) [A-Za-z0-9+/]+={0,2}( [^\\u0000-\\u001f\\u007f]*)?$";

/** Whether a line is a whole public key: who logs in by a key that was cut off in copying is locked out. */
export function isPublicKey(line: string): boolean {
  const [, type, blob] = /^(\S+) (\S+)/.exec(line) ?? [];
  if (type === undefined || blob === undefined || !new RegExp(publicKeyPattern).test(line)) return false;
  const fields = fieldsOf(Buffer.from(blob, "base64"));
  return fields !== undefined && fields.length > 1 && fields[0]?.toString("latin1") === type;
}

/** The keys of a file: its lines, without comments. */
export function keyLines(text: string): readonly string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

/** A text that must name a file of public keys. One of a person's own is looked at when it is needed, not before. */
export function keyFileFormat(directory: string): Format {
  const isFile = sourceFormat([directory]);
  return (value) => {
    if (isPersonal(value)) return undefined;
    const says = isFile(value);
    if (says !== undefined) return says;
    const lines = keyLines(readFileSync(join(directory, value), "utf8"));
    if (lines.length > 0 && lines.every(isPublicKey)) return undefined;
    return `must be a file of whole public keys, one a line, is something else: ${value}`;
  };
}

/** From the root or a home: it may not be there for who else reads the file. */
function isPersonal(path: string): boolean {
  return path.startsWith("/") || path.startsWith("~/");
}

/** RFC 4251: each field says its length in four bytes. */
function fieldsOf(blob: Buffer): readonly Buffer[] | undefined {
  const fields: Buffer[] = [];
  let at = 0;
  while (at + 4 <= blob.length) {
    const end = at + 4 + blob.readUInt32BE(at);
    if (end > blob.length) return undefined;
    fields.push(blob.subarray(at + 4, end));
    at = end;
  }
  return at === blob.length ? fields : undefined;
}
