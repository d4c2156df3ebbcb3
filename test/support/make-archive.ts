import { crc32, deflateRawSync, gzipSync } from "node:zlib";

/** What a tar is made of. Everything can be given wrong on purpose. */
export interface TarMember {
  readonly path: string;
  /** The type flag: "0" file (default), "1" hard link, "2" symbolic link, "5" directory, or any other. */
  readonly type?: string;
  /** 0o644, or 0o755 for directories, when left out. */
  readonly mode?: number;
  readonly body?: string | Buffer;
  /** Of links. */
  readonly target?: string;
  /** What the header says, when that is not the length of the body. */
  readonly size?: number;
  /** Records of a pax extended header before it. */
  readonly pax?: Readonly<Record<string, string | Buffer>>;
  /** How a path or target of more than 100 bytes is written; "pax" when left out. */
  readonly long?: "gnu" | "pax";
  /** "v7" has no magic. */
  readonly magic?: "ustar" | "gnu" | "v7";
}

const BLOCK = 512;

/** A tar; without `end` it lacks the zero blocks. */
export function makeTar(members: readonly TarMember[], { end = true } = {}): Buffer {
  return Buffer.concat([...members.map(tarMember), Buffer.alloc(end ? 2 * BLOCK : 0)]);
}

/** A tar in gzip. */
export function makeTarGz(members: readonly TarMember[]): Buffer {
  return gzipSync(makeTar(members));
}

/** A pax header for all that follows, as `git archive` writes one. */
export function globalHeader(records: Readonly<Record<string, string>>): TarMember {
  return { path: "pax_global_header", type: "g", body: paxBody(records) };
}

/** The records of a pax header. */
export function paxBody(records: Readonly<Record<string, string | Buffer>>): Buffer {
  return Buffer.concat(Object.entries(records).map(([key, value]) => paxRecord(key, Buffer.from(value))));
}

function paxRecord(key: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from("\n")]);
  let length = rest.length;
  // The length counts its own digits.
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function tarMember(member: TarMember): Buffer {
  const body = Buffer.from(member.body ?? "");
  return Buffer.concat([...longNames(member), header(member, body.length), padded(body)]);
}

function longNames({ path, target = "", pax = {}, long = "pax" }: TarMember): Buffer[] {
  const tooLong = (text: string) => Buffer.byteLength(text) > 100;
  if (long === "gnu")
    return [
      ...(tooLong(target) ? [tarMember({ path: "././@LongLink", type: "K", body: `${target}\0` })] : []),
      ...(tooLong(path) ? [tarMember({ path: "././@LongLink", type: "L", body: `${path}\0` })] : []),
    ];
  const records = {
    ...(tooLong(path) && { path }),
    ...(tooLong(target) && { linkpath: target }),
    ...pax,
  };
  if (Object.keys(records).length === 0) return [];
  return [tarMember({ path: "PaxHeaders/x", type: "x", body: paxBody(records) })];
}

function header(member: TarMember, length: number): Buffer {
  const { path, type = "0", target = "", size = length, magic = "ustar" } = member;
  const { mode = type === "5" ? 0o755 : 0o644 } = member;
  const block = Buffer.alloc(BLOCK);
  block.write(path, 0, 100);
  block.write(octal(mode, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(size, 11), 124);
  block.write(octal(0, 11), 136);
  block.write(type, 156, 1);
  block.write(target, 157, 100);
  if (magic !== "v7") block.write(magic === "gnu" ? "ustar  \0" : "ustar\u000000", 257);
  // The checksum is taken with blanks in its own place.
  block.write(" ".repeat(8), 148);
  block.write(
    `${octal(
      block.reduce((sum, byte) => sum + byte, 0),
      6,
    )}\0 `,
    148,
  );
  return block;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, "0");
}

function padded(body: Buffer): Buffer {
  return Buffer.concat([body, Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK)]);
}

/** What a zip is made of. Everything can be given wrong on purpose. */
export interface ZipMember {
  /** A directory's ends with a slash. */
  readonly path: string;
  readonly body?: string | Buffer;
  /** With the file's type: 0o100644 when left out, or 0o040755. */
  readonly mode?: number;
  /** Who made it: 3 is Unix (default), 0 is DOS, which knows no modes. */
  readonly host?: number;
  readonly stored?: boolean;
  /** What the directory says, when that is not so. */
  readonly size?: number;
  readonly crc?: number;
  readonly method?: number;
  readonly flags?: number;
  /** The name before the content, when it is not the directory's. */
  readonly localPath?: string;
}

/** A zip. */
export function makeZip(members: readonly ZipMember[]): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const member of members) {
    const { local, central } = zipMember(member, offset);
    offset += local.length;
    locals.push(local);
    directory.push(central);
  }
  const listing = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\u0005\u0006", "latin1");
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(listing.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, listing, end]);
}

function zipMember(member: ZipMember, offset: number): { local: Buffer; central: Buffer } {
  const { path, stored = false, host = 3, localPath = path } = member;
  const { mode = path.endsWith("/") ? 0o040755 : 0o100644 } = member;
  const body = Buffer.from(member.body ?? "");
  const packed = stored ? body : deflateRawSync(body);
  const common = zipCommon(member, { body, packed });
  const local = Buffer.concat([
    Buffer.from("PK\u0003\u0004", "latin1"),
    common(localPath),
    Buffer.from(localPath),
    packed,
  ]);
  const rest = Buffer.alloc(14);
  rest.writeUInt32LE(host === 0 ? 0 : (mode << 16) >>> 0, 6);
  rest.writeUInt32LE(offset, 10);
  const central = Buffer.concat([
    Buffer.from("PK\u0001\u0002", "latin1"),
    Buffer.from([30, host]),
    common(path),
    rest,
    Buffer.from(path),
  ]);
  return { local, central };
}

/** The 26 bytes that a header before the content and one of the directory have in common. */
function zipCommon(
  { stored = false, size, crc, method, flags = 0x800 }: ZipMember,
  { body, packed }: { readonly body: Buffer; readonly packed: Buffer },
): (path: string) => Buffer {
  return (path) => {
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(flags, 2);
    fields.writeUInt16LE(method ?? (stored ? 0 : 8), 4);
    fields.writeUInt32LE(crc ?? crc32(body), 10);
    fields.writeUInt32LE(packed.length, 14);
    fields.writeUInt32LE(size ?? body.length, 18);
    fields.writeUInt16LE(Buffer.byteLength(path), 22);
    return fields;
  };
}
