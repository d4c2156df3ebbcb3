import { createHash, createHmac, timingSafeEqual } from "node:crypto";

import { wildcard } from "./wildcard.ts";

/** A public key as files write it. */
export interface PublicKey {
  readonly type: string;
  readonly blob: Buffer;
}

/** What a known_hosts file says of one name. */
export interface Known {
  readonly keys: readonly PublicKey[];
  readonly revoked: readonly PublicKey[];
  /** A @cert-authority line speaks for the name. */
  readonly authority: boolean;
}

/** Reads known_hosts text for a name (`host` or `[host]:port`). Lines that make no sense are passed over, as by ssh. */
export function findKnown(text: string, name: string): Known {
  const keys: PublicKey[] = [];
  const revoked: PublicKey[] = [];
  let authority = false;
  for (const line of text.split(/\r?\n/)) {
    const fields = line.trim().split(/\s+/);
    const marker = fields[0]?.startsWith("@") ? fields.shift() : undefined;
    const [names = "", type = "", base64 = ""] = fields;
    if (names === "" || names.startsWith("#") || !speaksFor(names, name)) continue;
    if (marker === "@cert-authority") authority = true;
    const key = parsePublicKey(`${type} ${base64}`);
    if (key === undefined) continue;
    if (marker === undefined) keys.push(key);
    if (marker === "@revoked") revoked.push(key);
  }
  return { keys, revoked, authority };
}

/** `ssh-ed25519 AAAA… comment`; undefined when the type outside is not the type inside. */
export function parsePublicKey(text: string): PublicKey | undefined {
  const [type = "", base64 = ""] = text.trim().split(/\s+/);
  const blob = Buffer.from(base64, "base64");
  return type !== "" && keyType(blob) === type ? { type, blob } : undefined;
}

/** The type a key's own bytes name: a length, then that many letters. */
export function keyType(blob: Buffer): string {
  if (blob.length < 4) return "";
  return blob.subarray(4, 4 + blob.readUInt32BE(0)).toString("latin1");
}

/** As `ssh-keygen -l` prints it: SHA256:… without padding. */
export function fingerprint(blob: Buffer): string {
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}

function speaksFor(names: string, name: string): boolean {
  if (names.startsWith("|1|")) return isHashOf(names, name);
  let found = false;
  for (const pattern of names.split(",")) {
    const negated = pattern.startsWith("!");
    if (!wildcard(negated ? pattern.slice(1) : pattern, "i").test(name)) continue;
    // A negated name that matches takes the whole line away, whatever else is on it.
    if (negated) return false;
    found = true;
  }
  return found;
}

/** HashKnownHosts: |1|salt|HMAC-SHA1(salt, name), so that a stolen file does not list one's machines. */
function isHashOf(hashed: string, name: string): boolean {
  const [, , salt = "", hash = ""] = hashed.split("|");
  const wanted = Buffer.from(hash, "base64");
  const got = createHmac("sha1", Buffer.from(salt, "base64")).update(name.toLowerCase()).digest();
  return wanted.length === got.length && timingSafeEqual(wanted, got);
}
