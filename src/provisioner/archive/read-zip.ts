import { createInflateRaw, crc32 } from "node:zlib";

import { type Entry, fromFdPromise, type ZipFile } from "yauzl";

import type { Allowance } from "./allowance.ts";
import { type ArchiveFile, pieceBytes } from "./archive-file.ts";
import type { Body, Member, Take } from "./member.ts";
import { through } from "./plain-bytes.ts";
import { Refusal } from "./refusal.ts";

/** Reads a zip: first its whole directory, which is refused before a byte is written, then the files in it. */
export async function readZip(file: ArchiveFile, take: Take, allowance: Allowance): Promise<void> {
  const zip = await understood(() =>
    // Closing it would close the descriptor, which is not ours to close.
    fromFdPromise(file.descriptor, { autoClose: false, strictFileNames: true }),
  );
  allowance.allowEntries(zip.entryCount);
  const entries = await listEntries(zip, allowance);
  if (entries.length === 0) throw new Refusal("content", "must hold something, holds nothing");
  for (const { entry, member } of entries) {
    const body = take(member);
    if (member.kind === "file") await deliver({ zip, entry, file, body });
  }
}

interface Listed {
  readonly entry: Entry;
  readonly member: Member;
}

async function listEntries(zip: ZipFile, allowance: Allowance): Promise<readonly Listed[]> {
  const listed: Listed[] = [];
  let bytes = 0;
  await understood(async () => {
    for await (const entry of zip.eachEntry()) {
      const member = memberOf(entry);
      bytes += member.size;
      allowance.allowBytes(bytes, member.path);
      listed.push({ entry, member });
    }
  });
  return listed;
}

/** Who wrote the upper half of the attributes: of Unix and macOS it is a mode. */
const UNIX_HOSTS: readonly number[] = [3, 19];

function memberOf(entry: Entry): Member {
  const { uncompressedSize: size, compressionMethod: method } = entry;
  const path = nameOf(entry);
  const refuse = (reason: string) => new Refusal("content", reason, { entry: path });
  const unix = UNIX_HOSTS.includes(entry.versionMadeBy >>> 8);
  const mode = unix ? entry.externalFileAttributes >>> 16 : 0;
  const kind = path.endsWith("/") ? "directory" : "file";
  const wrong = typeFault(mode & 0o170000, kind);
  if (wrong !== undefined) throw refuse(wrong);
  if (entry.isEncrypted()) throw refuse("must not be encrypted, is");
  if (method !== 0 && method !== 8)
    throw refuse(`must be stored or deflated, has compression method ${method}`);
  if (kind === "directory" && size > 0) throw refuse("must have no content, as it is a directory, has some");
  return { path, kind, mode: mode & 0o7777, size };
}

/** The bit that says so, or the field that has the name in UTF-8 beside the one in the author's own letters. */
const UTF8_BIT = 0x800;
const UTF8_FIELD = 0x7075;

/**
 * Without either a name is in letters of DOS, says the standard. zip(1) on Unix writes it as the file system has it,
 * which is UTF-8.
 */
function nameOf({ fileName, fileNameRaw, generalPurposeBitFlag, extraFields, versionMadeBy }: Entry): string {
  const told = (generalPurposeBitFlag & UTF8_BIT) !== 0 || extraFields.some(({ id }) => id === UTF8_FIELD);
  const text = fileNameRaw.toString();
  const looksRight = UNIX_HOSTS.includes(versionMadeBy >>> 8) && !text.includes("\uFFFD");
  return !told && looksRight ? text : fileName;
}

function typeFault(type: number, kind: "file" | "directory"): string | undefined {
  if (type === 0 || type === (kind === "file" ? 0o100000 : 0o040000)) return undefined;
  if (type === 0o120000)
    return "must be a file or a directory, is a symbolic link, which only a tar may bring";
  return `must be a ${kind}, as its name says, has file type ${type.toString(8)}`;
}

async function deliver(from: {
  readonly zip: ZipFile;
  readonly entry: Entry;
  readonly file: ArchiveFile;
  readonly body: Body | undefined;
}): Promise<void> {
  const { entry, body } = from;
  let bytes = 0;
  let checksum = 0;
  for await (const piece of contentOf(from)) {
    bytes += piece.length;
    checksum = crc32(piece, checksum);
    // Counted before it is written: a directory that lies about sizes gets no byte more than it said.
    if (bytes > entry.uncompressedSize) break;
    await body?.write(piece);
  }
  if (bytes !== entry.uncompressedSize || checksum !== entry.crc32)
    throw new Refusal("damage", "must have the size and checksum that the directory says, has not", {
      entry: entry.fileName,
    });
  await body?.end();
}

async function* contentOf({
  zip,
  entry,
  file,
}: {
  readonly zip: ZipFile;
  readonly entry: Entry;
  readonly file: ArchiveFile;
}): AsyncGenerator<Buffer> {
  const local = await understood(() => zip.readLocalFileHeaderPromise(entry));
  // Programs that read from the front would see the other name.
  if (!local.fileName.equals(entry.fileNameRaw))
    throw new Refusal("content", "must have one name, has two", { entry: entry.fileName });
  const end = local.fileDataStart + entry.compressedSize;
  const packed = file.pieces(local.fileDataStart, end);
  if (entry.compressionMethod === 0) {
    yield* packed;
    return;
  }
  const chunkSize = Math.max(1024, Math.min(pieceBytes, entry.uncompressedSize));
  yield* through(createInflateRaw({ chunkSize }), packed, file.signal);
}

/** yauzl says what is wrong in plain errors; those of the file system have a code. */
async function understood<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refusal || !(error instanceof Error) || "code" in error) throw error;
    throw new Refusal("damage", `must be a zip that can be read: ${error.message}`, { cause: error });
  }
}
