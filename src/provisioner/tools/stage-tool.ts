import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";

import { unpackArchive } from "../archive/unpack-archive.ts";
import type { Run } from "../core/run.ts";
import type { ToolArtifact, ToolPin } from "../core/tool-pin.ts";
import { flush } from "./flush.ts";
import { checkLinks, type ImageContent, readImage, wantedLinks } from "./image-content.ts";
import { layOut, type Unpacked } from "./lay-out.ts";
import { incomingPath, linksFile, type Prefix, filesFile } from "./prefix.ts";

/** A version that only has to be put into its place. */
export interface StagedTool extends AsyncDisposable {
  readonly pin: ToolPin;
  /** The directory that will be the version's. */
  readonly image: string;
  readonly content: ImageContent;
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
    const parts: Unpacked[] = [];
    for (const [index, { artifact, path }] of files.entries()) {
      run.progress(`unpacking ${artifact.name}`);
      const into = join(directory, String(index));
      const { name, format } = artifact;
      const entries = await unpackArchive({ name, path, format, signal: run.signal }, into);
      parts.push({ artifact, directory: into, entries });
    }
    const image = join(directory, "image");
    for (const missing of await layOut(pin, parts, image)) run.note(`${pin.name}: ${missing}`, "warning");
    checkLinks(pin, image);
    const content = readImage(image);
    const links = wantedLinks(pin, content);
    writeList(
      join(image, filesFile),
      content.files.map(({ path, size, mtimeMs }) => `${size} ${mtimeMs} ${path}`),
    );
    writeList(join(image, linksFile), links);
    const all = [...content.files.map(({ path }) => path), filesFile, linksFile];
    await flush(
      image,
      all.map((path) => join(image, path)),
      run,
    );
    return { pin, image, content, links, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

function writeList(path: string, lines: readonly string[]): void {
  writeFileSync(path, lines.map((line) => `${line}\n`).join(""));
  chmodSync(path, 0o644);
}
