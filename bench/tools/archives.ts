import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { execa } from "execa";

/** An archive as a release has it. */
export interface Archive {
  readonly tool: string;
  /** Its name as a file. */
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number;
  /** A tree with many programs, as nerdctl-full; else one program with its manual page in a folder. */
  readonly isTree: boolean;
}

/** What is installed in one go: many tools of the usual size, and a large tree. */
export const smallCount = 19;
/** The tree, and one of a tenth of it to compare memory with. */
export const trees = { large: "bench-tree", small: "bench-sapling" } as const;

/** Raised when what is made below changes. */
const edition = 1;
const MIB = 1024 ** 2;
/** Machine code packs to some two fifths. */
const wanted = { smallMiB: [13, 27], programs: 45, largeMiB: 14.2, saplingMiB: 1.42 } as const;

/** Makes the archives once and keeps them: a minute the first time. Their content is Node's own machine code. */
export async function makeArchives(folder: string, say: (text: string) => void): Promise<readonly Archive[]> {
  const code = await readFile(process.execPath);
  const kept = join(folder, `archives-${process.version}-${edition}`);
  if (!existsSync(kept)) {
    say(`making archives in ${kept}`);
    const making = `${kept}.${process.pid}`;
    await mkdir(making, { recursive: true });
    try {
      for (let at = 0; at < smallCount; at += 1) await makeSmall(making, at, code);
      await makeTree(making, trees.large, wanted.largeMiB, code);
      await makeTree(making, trees.small, wanted.saplingMiB, code);
      await rename(making, kept);
    } finally {
      await rm(making, { recursive: true, force: true });
    }
  }
  const names = [...Array.from({ length: smallCount }, (_, at) => smallName(at)), ...Object.values(trees)];
  return Promise.all(names.map((tool) => describe(kept, tool)));
}

/** Where the archives lie. */
export function archivesFolder(folder: string): string {
  return join(folder, `archives-${process.version}-${edition}`);
}

function smallName(at: number): string {
  return `bench-${String(at).padStart(2, "0")}`;
}

async function makeSmall(folder: string, at: number, code: Buffer): Promise<void> {
  const tool = smallName(at);
  const tree = join(folder, `${tool}-1.0`);
  const [least, most] = wanted.smallMiB;
  const size = least + ((most - least) * at) / (smallCount - 1);
  await mkdir(tree);
  await writeFile(join(tree, tool), program(code, at * 3, size), { mode: 0o755 });
  await writeFile(join(tree, `${tool}.1`), `.TH ${tool.toUpperCase()} 1\n`.repeat(200));
  await writeFile(join(tree, "LICENSE"), "As you like.\n".repeat(80));
  await pack(folder, tool, [`${tool}-1.0`]);
  await rm(tree, { recursive: true });
}

async function makeTree(folder: string, tool: string, programMiB: number, code: Buffer): Promise<void> {
  const tree = join(folder, tool);
  for (const each of ["bin", "lib", "libexec", "share/doc"])
    await mkdir(join(tree, each), { recursive: true });
  for (let at = 0; at < wanted.programs; at += 1)
    await writeFile(join(tree, "bin", `${tool}-${at}`), program(code, at * 1.7, programMiB), { mode: 0o755 });
  for (let at = 0; at < 18; at += 1)
    await symlink(`../bin/${tool}-${at}`, join(tree, "libexec", `${tool}-${at}`));
  for (let at = 0; at < 60; at += 1)
    await writeFile(join(tree, "share/doc", `${tool}-${at}.md`), `How to use ${at}.\n`.repeat(400));
  await pack(tree, tool, ["bin", "lib", "libexec", "share"], join(folder, `${tool}.tar.gz`));
  await rm(tree, { recursive: true });
}

/** Begins as a program does, and goes on with a stretch of real code. */
function program(code: Buffer, fromMiB: number, sizeMiB: number): Buffer {
  const head = code.subarray(0, 4096);
  const start = Math.floor(fromMiB * MIB) % Math.floor(code.length - sizeMiB * MIB);
  return Buffer.concat([head, code.subarray(start, start + Math.floor(sizeMiB * MIB))]);
}

async function pack(
  folder: string,
  tool: string,
  what: readonly string[],
  into = join(folder, `${tool}.tar.gz`),
): Promise<void> {
  await execa("tar", ["--owner=0", "--group=0", "-czf", into, "-C", folder, ...what]);
}

async function describe(folder: string, tool: string): Promise<Archive> {
  const file = `${tool}.tar.gz`;
  const path = join(folder, file);
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path, { highWaterMark: MIB })) hash.update(piece as Buffer);
  const { size } = await stat(path);
  const isTree = tool === trees.large || tool === trees.small;
  return { tool, file, sha256: hash.digest("hex"), bytes: size, isTree };
}
