import { chmodSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";

import { unpackArchive } from "../archive/unpack-archive.ts";
import type { Run } from "../core/run.ts";
import type { ToolArtifact, ToolPin } from "../core/tool-pin.ts";
import { flush } from "./flush.ts";
import { checkLinks, checkPlaces, type ImageContent, readImage, wantedLinks } from "./image-content.ts";
import { commandsOf } from "./inspect-tool.ts";
import { layOut, type Unpacked } from "./lay-out.ts";
import { commandsFile, filesFile, incomingPath, linksFile, ownFiles, type Prefix } from "./prefix.ts";

/** A version that only has to be put into its place. */
export interface StagedTool extends AsyncDisposable {
  readonly pin: ToolPin;
  /** The directory that will be the version's. */
  readonly image: string;
  readonly links: readonly string[];
}

/** An artifact that was downloaded and whose digest is right. */
export interface FetchedFile {
  readonly artifact: ToolArtifact;
  readonly path: string;
}

/** Unpacks a tool beside its place, checks it and brings it to the disk. The prefix stays as it is. */
export async function stageTool(
  prefix: Prefix,
  pin: ToolPin,
  { files, run }: { readonly files: readonly FetchedFile[]; readonly run: Run },
): Promise<StagedTool> {
  const directory = incomingPath(prefix);
  const dispose = () => rm(directory, { recursive: true, force: true });
  try {
    // Nobody else may look in before everything is checked.
    mkdirSync(directory, { mode: 0o700 });
    const image = join(directory, "image");
    const parts = await unpackAll(directory, files, run);
    for (const missing of await layOut(pin, parts, image)) run.note(`${pin.name}: ${missing}`, "warning");
    const content = readImage(image);
    checkPlaces(pin, content);
    checkLinks(pin, image, content);
    const links = wantedLinks(pin, content);
    writeLists(pin, image, { content, links });
    const all = [...content.files.map(({ path }) => path), ...ownFiles];
    const paths = all.map((path) => join(image, path));
    await flush(image, paths, run);
    return { pin, image, links, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function unpackAll(
  directory: string,
  files: readonly FetchedFile[],
  run: Run,
): Promise<readonly Unpacked[]> {
  const parts: Unpacked[] = [];
  for (const [index, { artifact, path }] of files.entries()) {
    const { name, format } = artifact;
    run.progress(`unpacking ${name}`);
    const into = join(directory, String(index));
    const entries = await unpackArchive({ name, path, format, signal: run.signal }, into);
    parts.push({ artifact, directory: into, entries });
  }
  return parts;
}

/** What a later run holds the version against. */
function writeLists(
  pin: ToolPin,
  image: string,
  { content, links }: { readonly content: ImageContent; readonly links: readonly string[] },
): void {
  const commands = commandsOf(pin).map((command) => `bin/${command}`);
  writeList(
    join(image, filesFile),
    content.files.map(({ path, size, mtimeMs }) => `${size} ${mtimeMs} ${path}`),
  );
  writeList(
    join(image, commandsFile),
    commands.map((path) => `${statSync(join(image, path)).size} ${path}`),
  );
  writeList(join(image, linksFile), links);
}

function writeList(path: string, lines: readonly string[]): void {
  writeFileSync(path, lines.map((line) => `${line}\n`).join(""));
  chmodSync(path, 0o644);
}
