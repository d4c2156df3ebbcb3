import { Header } from "tar/header";

import type { Allowance } from "./allowance.ts";
import { BlockReader, isZero } from "./block-reader.ts";
import type { Body, Member, Take } from "./member.ts";
import { type Override, readGnuName, readPax } from "./pax-records.ts";
import { Refusal } from "./refusal.ts";
import { kindOf } from "./sniff.ts";

const BLOCK = 512;
/** Names and attributes are some hundred bytes. */
const MOST_META = 1024 ** 2;

/** How a tar is read. */
export interface TarReading {
  readonly take: Take;
  readonly allowance: Allowance;
  /** Nothing around it says that it is whole, so the zero blocks that end a tar must be there. */
  readonly bare: boolean;
}

/**
 * Reads a tar to its end and refuses what it does not understand. node-tar decodes the headers; the blocks are
 * counted here, because its parser passes over unknown members and hides what lies between them and after the last.
 */
export async function readTar(bytes: AsyncIterable<Buffer>, reading: TarReading): Promise<void> {
  const blocks = new BlockReader(counted(bytes, reading.allowance));
  try {
    await readMembers(blocks, reading);
  } finally {
    await blocks.close();
  }
}

async function readMembers(blocks: BlockReader, { take, bare }: TarReading): Promise<void> {
  let override: Override = {};
  for (let first = true; ; first = false) {
    const block = await blocks.read(BLOCK);
    if (first) checkBeginning(block);
    if (block === undefined) return checkEnd(bare, override);
    if (isZero(block)) return checkRest(await blocks.endsInZeros());
    const header = decode(block, override);
    if (isMeta(header.type)) {
      override = join(override, await readMeta(header, blocks), header.type);
      continue;
    }
    const member = memberOf(header, block, override);
    override = {};
    await deliver(member, take(member), blocks);
  }
}

async function deliver(member: Member, body: Body | undefined, blocks: BlockReader): Promise<void> {
  await blocks.pass(member.size, (part) => body?.write(part));
  await body?.end();
  await blocks.pass(padding(member.size), () => {});
}

function decode(block: Buffer, { path, linkpath, size }: Override): Header {
  const header = readHeader(block, {
    ...(path !== undefined && { path }),
    ...(linkpath !== undefined && { linkpath }),
    ...(size !== undefined && { size }),
  });
  if (!header?.cksumValid)
    throw new Refusal("damage", "must have headers that are intact, has one that is not");
  return header;
}

function readHeader(block: Buffer, override: Override): Header | undefined {
  try {
    return new Header(block, 0, override);
  } catch {
    // A number field that holds none.
    return undefined;
  }
}

const metaTypes = [
  "ExtendedHeader",
  "GlobalExtendedHeader",
  "NextFileHasLongPath",
  "NextFileHasLongLinkpath",
] as const;
type MetaType = (typeof metaTypes)[number];

function isMeta(type: string): type is MetaType {
  return (metaTypes as readonly string[]).includes(type);
}

async function readMeta({ size, type }: Header, blocks: BlockReader): Promise<Override> {
  if (size === undefined || size > MOST_META)
    throw new Refusal("damage", "must have extended headers of ordinary size, has one that is not");
  const body = size === 0 ? Buffer.alloc(0) : await blocks.read(size);
  if (body === undefined) throw new Refusal("damage", "must be whole, is cut off");
  await blocks.pass(padding(size), () => {});
  if (type === "ExtendedHeader" || type === "GlobalExtendedHeader") return readPax(body);
  const name = readGnuName(body);
  if (name === undefined) return {};
  return type === "NextFileHasLongPath" ? { path: name } : { linkpath: name };
}

/** Several of them may stand before one member. What unpackers would read differently is refused. */
function join(before: Override, now: Override, type: MetaType): Override {
  const bears = (override: Override) => Object.keys(override).length > 0;
  // `git archive` writes its commit into one; a name or a size for all members makes no sense.
  if (type === "GlobalExtendedHeader" && bears(now))
    throw new Refusal("content", "must not give all members one name or size");
  if (before.path !== undefined && now.path !== undefined && before.path !== now.path)
    throw new Refusal("content", "must have one name, has two", { entry: now.path });
  return { ...before, ...now };
}

/** What else a tar can hold, in words. */
const foreign: Readonly<Record<string, string>> = {
  CharacterDevice: "a character device",
  BlockDevice: "a block device",
  FIFO: "a FIFO",
  ContiguousFile: "a contiguous file",
  SparseFile: "a sparse file",
  GNUDumpDir: "a directory of an incremental backup",
  ContinuationFile: "a piece of a file from another volume",
  TapeVolumeHeader: "the label of a volume",
};

function memberOf(header: Header, block: Buffer, override: Override): Member {
  // A header's own prefix would be put before an overriding name too.
  const path = override.path ?? header.path ?? "";
  const kind = kindOfMember(header.type);
  if (kind === undefined)
    throw new Refusal(
      "content",
      `must be a file, a directory or a link, is ${foreign[header.type] ?? "of an unknown type"}`,
      { entry: path },
    );
  const target = override.linkpath ?? header.linkpath ?? "";
  const mode = (header.mode ?? 0) & 0o7777;
  if (kind === "file") return { path, kind, mode, size: sizeOf(header, path) };
  // Some programs read such a body, others go on with the next header right here.
  if (!/^[\0 0]*$/.test(block.toString("latin1", 124, 136)) || (override.size ?? 0) !== 0)
    throw new Refusal("content", `must have no content, as it is a ${kind}, has some`, { entry: path });
  return { path, kind, mode, size: 0, ...(kind !== "directory" && { target }) };
}

function kindOfMember(type: string): Member["kind"] | undefined {
  if (type === "File" || type === "OldFile") return "file";
  if (type === "Directory") return "directory";
  if (type === "SymbolicLink") return "symlink";
  return type === "Link" ? "hard link" : undefined;
}

function sizeOf({ size }: Header, entry: string): number {
  if (size !== undefined && Number.isSafeInteger(size)) return size;
  throw new Refusal("damage", "must have a size that is a number, has none", { entry });
}

function checkBeginning(block: Buffer | undefined): void {
  if (block === undefined || isZero(block))
    throw new Refusal("content", "must hold something, holds nothing");
  const kind = kindOf(block);
  if (kind !== "a tar") throw new Refusal("kind", `must hold a tar, holds ${kind}`);
}

/**
 * Programs that forget the zero blocks at the end exist. Where something around the tar vouches for its end that is
 * taken, as GNU tar does; a bare tar may just as well have been cut off there.
 */
function checkEnd(bare: boolean, override: Override): void {
  if (bare || Object.keys(override).length > 0) throw new Refusal("damage", "must be whole, is cut off");
}

/** Another archive behind the first one would be seen by some programs and not by others. */
function checkRest(zeros: boolean): void {
  if (!zeros) throw new Refusal("damage", "must end with its last member, goes on after its end");
}

function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

async function* counted(bytes: AsyncIterable<Buffer>, allowance: Allowance): AsyncGenerator<Buffer> {
  let total = 0;
  for await (const piece of bytes) {
    total += piece.length;
    allowance.allowBytes(total);
    yield piece;
  }
}
