import { createHash } from "node:crypto";

/** What a key file holds, or why it cannot be trusted to be read the same way by everybody. */
export type KeyReading = { readonly fingerprints: readonly string[] } | { readonly wrong: string };

/** The fingerprints of the primary keys in an armoured OpenPGP key file (RFC 9580), in capitals. */
export function readKeys(text: string): KeyReading {
  const blocks = [...text.replaceAll("\r\n", "\n").matchAll(ARMOUR)];
  if (blocks.length === 0) return { wrong: 'must hold "-----BEGIN PGP PUBLIC KEY BLOCK-----", does not' };
  // A block that is read here in another way than by apt could bring a key that nobody has pinned.
  if (text.split("-----BEGIN").length - 1 !== blocks.length) {
    return { wrong: "must be whole armoured blocks of public keys and nothing else, is not" };
  }
  const fingerprints: string[] = [];
  for (const [, body = ""] of blocks) {
    const reading = readPackets(bytesOf(body));
    if ("wrong" in reading) return reading;
    fingerprints.push(...reading.fingerprints);
  }
  return fingerprints.length === 0 ? { wrong: "must hold a public key, holds none" } : { fingerprints };
}

/** Why a key file is not the one whose fingerprints are pinned; nothing when it is. */
export function otherThanPinned(text: string, pinned: readonly string[]): string | undefined {
  const reading = readKeys(text);
  if ("wrong" in reading) return `the key ${reading.wrong}`;
  const { fingerprints: found } = reading;
  const wanted = pinned.map(plainFingerprint);
  const other = found.find((fingerprint) => !wanted.includes(fingerprint));
  if (other !== undefined) return `the key must have the fingerprint ${wanted.join(" or ")}, has ${other}`;
  const missing = wanted.find((fingerprint) => !found.includes(fingerprint));
  return missing && `the key must hold ${missing}, holds only ${found.join(" and ")}`;
}

/** A fingerprint without the blanks that gpg shows it with. */
export function plainFingerprint(text: string): string {
  return text.replaceAll(" ", "").toUpperCase();
}

/** Headers end at the first empty line; the checksum line that begins with = is optional. */
const ARMOUR =
  /^-----BEGIN PGP PUBLIC KEY BLOCK-----[ \t]*\n(?:[^\n]*:[^\n]*\n)*[ \t]*\n([A-Za-z0-9+/=\s]*?)(?:\n=[A-Za-z0-9+/]{4})?\s*\n-----END PGP PUBLIC KEY BLOCK-----/gm;

function bytesOf(body: string): Uint8Array {
  return Buffer.from(body.replace(/\s/g, ""), "base64");
}

/** What belongs into a public key: the key, signatures, subkeys, user ids, user attributes; and padding. */
const PRIMARY_KEY = 6;
const allowed = [PRIMARY_KEY, 2, 13, 14, 17, 21];

function readPackets(bytes: Uint8Array): KeyReading {
  const fingerprints: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const packet = packetAt(bytes, at);
    if (!packet) return { wrong: "must be whole packets, is cut off or garbled" };
    if (!allowed.includes(packet.tag))
      return { wrong: `must hold public keys only, holds packet ${packet.tag}` };
    if (packet.tag === PRIMARY_KEY) {
      const { body } = packet;
      if (body[0] !== 4) return { wrong: `must hold keys of version 4, holds one of version ${body[0]}` };
      const head = Uint8Array.of(0x99, body.length >> 8, body.length & 0xff);
      fingerprints.push(createHash("sha1").update(head).update(body).digest("hex").toUpperCase());
    }
    at = packet.end;
  }
  return { fingerprints };
}

interface Packet {
  readonly tag: number;
  readonly body: Uint8Array;
  readonly end: number;
}

function packetAt(bytes: Uint8Array, at: number): Packet | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const first = bytes[at] ?? 0;
  if ((first & 0x80) === 0) return undefined;
  const isNew = (first & 0x40) !== 0;
  const length = isNew ? newLength(view, at + 1) : oldLength(view, at + 1, first & 3);
  if (!length) return undefined;
  const end = length.body + length.size;
  if (end > bytes.length) return undefined;
  return { tag: isNew ? first & 0x3f : (first >> 2) & 0x0f, body: bytes.subarray(length.body, end), end };
}

interface Length {
  /** Where the body begins. */
  readonly body: number;
  readonly size: number;
}

/** Lengths of 1, 2 or 4 octets; the fourth kind has no end of its own. */
function oldLength(view: DataView, at: number, kind: number): Length | undefined {
  const octets = [1, 2, 4][kind];
  if (octets === undefined || at + octets > view.byteLength) return undefined;
  const size = octets === 1 ? view.getUint8(at) : octets === 2 ? view.getUint16(at) : view.getUint32(at);
  return { body: at + octets, size };
}

/** One octet to 191, two to 223, then pieces (refused: no key comes in pieces), then 255 and four octets. */
function newLength(view: DataView, at: number): Length | undefined {
  if (at >= view.byteLength) return undefined;
  const first = view.getUint8(at);
  if (first < 192) return { body: at + 1, size: first };
  if (first < 224 && at + 1 < view.byteLength) {
    return { body: at + 2, size: ((first - 192) << 8) + view.getUint8(at + 1) + 192 };
  }
  if (first === 255 && at + 5 <= view.byteLength) return { body: at + 5, size: view.getUint32(at + 1) };
  return undefined;
}
