import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import type { Run } from "../core/run.ts";
import type { RenderTemplate } from "../core/templates.ts";
import { digestOf, findKept, keep, type Kept } from "../local/kept-file.ts";
import { holdLock } from "../local/lock.ts";
import { program } from "../local/program.ts";
import { openScratch } from "../local/scratch.ts";
import { needSpace } from "../local/free-space.ts";
import type { BootstrapEntry } from "../pins/manifest.ts";
import { followApt } from "../local/apt-progress.ts";
import { findRootWay, type RootWay } from "./as-root.ts";
import { type BaseFiles, baseFiles } from "./base-files.ts";
import { explainBootstrap, isComplaint } from "./bootstrap-failure.ts";
import { type BootstrapInputs, inputsOf, keyOf } from "./bootstrap-inputs.ts";
import { type BootstrapPaths, type BootstrapStep, diskSteps, treeSteps } from "./bootstrap-steps.ts";
import { defaultSizes, layOutDisk } from "./disk-layout.ts";

/** What a bootstrap is made from. */
interface BootstrapOptions {
  readonly name: string;
  readonly entry: BootstrapEntry;
  readonly cacheDir: string;
  readonly templates: RenderTemplate;
  /** Seconds; what SOURCE_DATE_EPOCH is and, with it, how old the archive's state may be. */
  readonly epoch: number;
  readonly run: Run;
}

/** A bootstrapped base, from the cache or made now. */
export interface BootstrappedBase extends Kept<BootstrapInputs> {
  readonly key: string;
  readonly virtualBytes: number;
  readonly cached: boolean;
}

/** Tar, tree, disk file and image side by side, with room for another suite. */
const NEEDED_BYTES = 5 * 1024 ** 3;

/** Gives the base made of exactly these inputs; makes it when the cache has none. */
export async function bootstrapBase(options: BootstrapOptions): Promise<BootstrappedBase> {
  const { name, entry, cacheDir, run, epoch } = options;
  const files = baseFiles(entry, options.templates);
  const inputs = inputsOf({ entry, files, epoch });
  const key = keyOf(inputs);
  const virtualBytes = layOutDisk(entry.disk ?? defaultSizes, key).sizeMiB * 1024 ** 2;
  const path = join(cacheDir, "bases", `${name}-${key.slice(0, 16)}.qcow2`);
  const found = await findKept<BootstrapInputs>(path);
  if (found) return { ...found, key, virtualBytes, cached: true };

  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  await using _lock = await holdLock(`${path}.lock`, `base ${name}`, run);
  // Another run may have made it while this one waited.
  const made = await findKept<BootstrapInputs>(path);
  if (made) return { ...made, key, virtualBytes, cached: true };
  const kept = await make({ ...options, files, inputs, key, path });
  return { ...kept, key, virtualBytes, cached: false };
}

async function make(
  options: BootstrapOptions & {
    readonly files: BaseFiles;
    readonly inputs: BootstrapInputs;
    readonly key: string;
    readonly path: string;
  },
): Promise<Kept<BootstrapInputs>> {
  const { name, entry, files, epoch, inputs, key, path, run, cacheDir } = options;
  const way = await findRootWay(run);
  await needSpace(cacheDir, NEEDED_BYTES, `base ${name}`);
  await using scratch = await openScratch(join(cacheDir, "scratch"), `base-${name}`);
  const paths = pathsIn(scratch.path);
  const plan = { entry, files, epoch, paths, disk: layOutDisk(entry.disk ?? defaultSizes, key) };
  try {
    await layOutSkeleton(files, paths);
    await run.within(`Bootstrap ${entry.suite}`, (inner) =>
      bootstrap(name, treeSteps(plan), { way, scratch: scratch.path, epoch, run: inner }),
    );
    await run.within("Lay out the disk", async (inner) => {
      for (const step of diskSteps(plan)) {
        inner.progress(step.argv[0]);
        await program(commandOf(step, way), {
          run: inner,
          env: { SOURCE_DATE_EPOCH: String(epoch), MTOOLS_SKIP_CHECK: "1" },
          ...(step.input !== undefined && { input: step.input }),
        });
      }
    });
    const digest = await run.within("Digest", () => digestOf(paths.image, "sha256"));
    return await keep(paths.image, path, { digest, facts: inputs });
  } finally {
    await removeTree(way, paths, run);
  }
}

async function bootstrap(
  name: string,
  { pack, bootstrap: step }: ReturnType<typeof treeSteps>,
  context: { readonly way: RootWay; readonly scratch: string; readonly epoch: number; readonly run: Run },
): Promise<void> {
  const { way, scratch, epoch, run } = context;
  const follow = followApt();
  const complaints: string[] = [];
  await program(pack.argv, { run });
  try {
    await program(behind(way.shelter, [...step.argv, `--mode=${way.mode}`]), {
      run,
      family: true,
      env: {
        SOURCE_DATE_EPOCH: String(epoch),
        // As an ordinary user the tree belongs to other user ids, which may not enter our scratch directory.
        ...(way.mode === "root" && { TMPDIR: scratch }),
      },
      onLine: (line) => {
        run.report({ kind: "output", step: run.step, line });
        if (isComplaint(line)) complaints.push(line);
        const progress = follow(line);
        if (progress) run.progress(progress.text, progress.fraction);
      },
    });
  } catch (error) {
    throw explainBootstrap(name, complaints, error);
  }
}

function commandOf({ argv, asRoot }: BootstrapStep, way: RootWay): readonly [string, ...string[]] {
  return asRoot ? behind(way.prefix, argv) : argv;
}

function behind(prefix: readonly string[], argv: readonly string[]): readonly [string, ...string[]] {
  const [first = "env", ...rest] = [...prefix, ...argv];
  return [first, ...rest];
}

/** Writes provision's own files as they go into the image. */
async function layOutSkeleton(files: BaseFiles, paths: BootstrapPaths): Promise<void> {
  for (const { path, mode, text } of files.files) {
    const target = join(paths.skeleton, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, text);
    await chmod(target, mode);
  }
  for (const { path, target } of files.links) {
    await mkdir(dirname(join(paths.skeleton, path)), { recursive: true });
    await symlink(target, join(paths.skeleton, path));
  }
  await writeFile(paths.sources, files.sources);
  await writeFile(paths.grubStub, files.grubStub);
}

/** The tree has owners of its own: in a user namespace only its root can remove it. */
async function removeTree(way: RootWay, { root, state }: BootstrapPaths, run: Run): Promise<void> {
  // Also when the run is stopped: then above all.
  const unstoppable = { ...run, signal: new AbortController().signal };
  await program(commandOf({ argv: ["rm", "-rf", root, state], asRoot: true }, way), { run: unstoppable });
}

function pathsIn(scratch: string): BootstrapPaths {
  return {
    skeleton: join(scratch, "skeleton"),
    skeletonTar: join(scratch, "skeleton.tar"),
    sources: join(scratch, "debian.sources"),
    grubStub: join(scratch, "grub-stub.cfg"),
    tar: join(scratch, "tree.tar"),
    root: join(scratch, "root"),
    state: join(scratch, "state"),
    disk: join(scratch, "disk.raw"),
    image: join(scratch, "image.qcow2"),
  };
}
