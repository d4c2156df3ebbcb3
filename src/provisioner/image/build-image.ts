import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

import { converge } from "../core/converge.ts";
import { appliesTo, distributionNamed } from "../core/distribution.ts";
import { ProvisionError } from "../core/errors.ts";
import type { Host } from "../core/host.ts";
import type { Recipe } from "../core/recipe.ts";
import type { Run } from "../core/run.ts";
import type { Sources } from "../core/sources.ts";
import type { ToolPin } from "../core/tool-pin.ts";
import { needSpace } from "../local/free-space.ts";
import { holdLock } from "../local/lock.ts";
import { openScratch, type Scratch } from "../local/scratch.ts";
import type { DiskNeed } from "../spec/image-spec.ts";
import type { Base } from "./base-image.ts";
import type { BootedGuest } from "./boot-guest.ts";
import { digestOf, type BuildInputs } from "./build-inputs.ts";
import { checkVendorRoom } from "./disk-room.ts";
import {
  findByKey,
  imageFile,
  makeLatest,
  newVersion,
  openPartial,
  publish,
  type PublishedImage,
} from "./image-store.ts";
import { readPackages } from "./installed-packages.ts";
import { builderUser } from "./hygiene.ts";
import type { Manifest, Phase } from "./manifest.ts";
import { flatten, makeOverlay, virtualSize } from "./qemu-img.ts";
import { sbom } from "./sbom.ts";
import { checkSealed, startSeal } from "./seal.ts";
import { verifyImage, vouchFor } from "./verify-image.ts";
import type { Workshop } from "./workshop.ts";

const GIB = 1024 ** 3;
/** Under emulation and load a power-off was seen to take a minute. */
const SEAL_DEADLINE_MS = 600_000;

/** One image to be. */
export interface BuildRequest {
  readonly name: string;
  readonly recipe: Recipe;
  /** Of the base: `debian-13`. */
  readonly distribution: string;
  readonly sources: Sources;
  readonly inputs: BuildInputs;
  /** What the recipe takes from versions.yaml. */
  readonly tools: readonly ToolPin[];
  readonly specs: Manifest["specs"];
  readonly machine: { readonly cpus: number; readonly memoryMiB: number; readonly diskGiB: number };
  /** What the spec asks of the disk. */
  readonly needs: readonly DiskNeed[];
  readonly readOnlyRoot: boolean;
  /** Throws when this machine lacks something; asked only when there is something to build. */
  readonly prepareMachine: (run: Run) => Promise<void>;
  readonly prepareBase: (run: Run) => Promise<Base>;
  /** Build although an image of the same inputs is there. */
  readonly force: boolean;
  readonly verify: boolean;
  readonly keepOnError: boolean;
  readonly provisionVersion: string;
}

/** What came of it; `fresh` is false when an image of the same inputs was there. */
export interface BuildOutcome {
  readonly image: PublishedImage;
  readonly fresh: boolean;
}

/** Builds a golden image from its base, or finds the one that the same inputs made. */
export async function buildImage(request: BuildRequest, shop: Workshop, run: Run): Promise<BuildOutcome> {
  const key = digestOf(request.inputs);
  const there = request.force ? undefined : await findByKey(shop.store, request.name, key);
  if (there) return { image: await makeLatest(there), fresh: false };

  await using _lock = await holdLock(join(shop.store, request.name), `the build of ${request.name}`, run);
  const meanwhile = request.force ? undefined : await findByKey(shop.store, request.name, key);
  if (meanwhile) return { image: await makeLatest(meanwhile), fresh: false };

  const { phase, phases } = timed(run);
  await needSpace(shop.workDir, 2 * GIB, `the build of ${request.name}`);
  await needSpace(shop.store, GIB, `the build of ${request.name}`);
  await phase("Check this machine", request.prepareMachine);
  const base = await phase("Prepare base", request.prepareBase, ({ digest }) => digest.slice(0, 12));
  if (base.layout === "vendor") {
    const { diskGiB: sizeGiB } = request.machine;
    checkVendorRoom(base.virtualBytes, { base: base.name, sizeGiB, needs: request.needs });
  }
  await using scratch = await openScratch(shop.workDir, "build");
  const disk = join(scratch.path, "disk.qcow2");
  const sizeGiB = Math.max(request.machine.diskGiB, Math.ceil((await virtualSize(base.path, run)) / GIB));
  await makeOverlay(base.path, disk, { sizeGiB, run });
  const nonce = randomBytes(8).toString("hex");
  const at = new Date().toISOString();
  const version = await newVersion(shop.store, request.name, { at, key });
  const made = await makeDisk({ request, shop, scratch, disk, nonce, version, phase, run });

  await using partial = await openPartial(shop.store, request.name);
  const file = join(partial.path, imageFile);
  await phase("Flatten and compress", (inner) => flatten(disk, file, inner));
  const { sha256, bytes } = await phase(
    "Digest",
    (inner) => digestFile(file, inner.signal),
    (found) => found.sha256.slice(0, 12),
  );
  const size = { sha256, bytes, virtualBytes: await virtualSize(file, run) };
  const manifest = manifestOf({ request, base, made, version, key, at, phases }, size);
  if (request.verify) {
    const { name, readOnlyRoot, machine } = request;
    const candidate = { path: file, name, readOnlyRoot, machine };
    await phase("Verify", async (inner) => vouchFor(candidate, await verifyImage(candidate, shop, inner)));
  }
  await writePapers(partial.path, manifest, base.distribution);
  run.signal.throwIfAborted();
  return { image: await publish(partial.path, shop.store, manifest), fresh: true };
}

interface Made {
  readonly packages: Manifest["packages"];
  readonly accelerator: string;
}

function manifestOf(
  from: Pick<Manifest, "version" | "key"> & {
    readonly request: BuildRequest;
    readonly base: Base;
    readonly made: Made;
    readonly at: string;
    readonly phases: readonly Phase[];
  },
  size: Pick<Manifest["image"], "sha256" | "bytes" | "virtualBytes">,
): Manifest {
  const { request, base, made, version, key, at, phases } = from;
  return {
    schema: 1,
    name: request.name,
    version,
    key,
    inputs: request.inputs,
    image: { file: imageFile, ...size, format: "qcow2", architecture: base.architecture },
    base: { name: base.name, digest: base.digest },
    specs: request.specs,
    uses: request.recipe
      .filter(({ when }) => appliesTo(when, distributionNamed(request.distribution)))
      .map(({ id, task, where }) => ({ task: task.name, use: id, from: `${where.file}:${where.line}` })),
    packages: made.packages,
    tools: request.tools.map(installedTool),
    readOnlyRoot: request.readOnlyRoot,
    built: { at, provision: request.provisionVersion, accelerator: made.accelerator, phases },
  };
}

function installedTool({ name, version, license, artifacts }: ToolPin): Manifest["tools"][number] {
  const files = artifacts.map(({ url, sha256 }) => ({ url, sha256 }));
  return { name, version, license: license ?? null, files };
}

/** Everything that lies beside the image. */
async function writePapers(folder: string, manifest: Manifest, distribution: string): Promise<void> {
  const json = (name: string, data: object) =>
    writeFile(join(folder, name), `${JSON.stringify(data, null, 2)}\n`);
  await json("sbom.cdx.json", sbom(manifest, distribution));
  await writeFile(join(folder, "SHA256SUMS"), `${manifest.image.sha256}  ${imageFile}\n`);
  await json("manifest.json", manifest);
}

interface Making {
  readonly request: BuildRequest;
  readonly shop: Workshop;
  readonly scratch: Scratch;
  readonly disk: string;
  readonly nonce: string;
  readonly version: string;
  readonly phase: TimedPhase;
  readonly run: Run;
}

/** Boots a builder on the disk, applies the recipe, seals; the guest is gone when this returns. */
async function makeDisk(making: Making): Promise<Made> {
  const { request, shop, scratch, disk, phase, run } = making;
  await using driver = await shop.openDriver(run);
  await driver.accelerator(run);
  await driver.startNetwork(shop.network);
  try {
    await using builder = await phase("Boot builder", (inner) =>
      shop.bootGuest({
        driver,
        role: "builder",
        network: shop.network,
        folder: scratch.path,
        disk,
        machine: request.machine,
        user: builderUser,
        hostName: builderUser,
        keepOnError: request.keepOnError,
        run: inner,
      }),
    );
    const { accelerator } = builder.guest;
    return { packages: await settleBuilder(builder, making), accelerator };
  } catch (error) {
    // A builder that stays needs its disk.
    if (request.keepOnError && !run.signal.aborted) scratch.keep();
    throw error;
  }
}

async function settleBuilder(builder: BootedGuest, making: Making): Promise<Manifest["packages"]> {
  const { request, phase, run } = making;
  try {
    await phase("Apply tasks", (inner) => applyTasks(request, builder.host, inner));
    const packages = await readPackages(builder.host);
    await phase("Seal and power off", (inner) => sealBuilder(builder, making, inner));
    return packages;
  } catch (error) {
    if (request.keepOnError && !run.signal.aborted) keep(builder, run);
    throw error;
  }
}

async function sealBuilder(builder: BootedGuest, making: Making, run: Run): Promise<void> {
  const { request, shop, nonce, version } = making;
  const { readOnlyRoot } = request;
  const { guest, host, user } = builder;
  await startSeal(host, { user, nonce, version, readOnlyRoot, renderTemplate: shop.renderTemplate });
  await host[Symbol.asyncDispose]();
  const off = await guest.waitForOff(SEAL_DEADLINE_MS, run);
  if (!off) throw new ProvisionError("SEAL_FAILED", { reason: await guest.consoleTail(20) });
  await checkSealed(builder.console, nonce, run);
}

async function applyTasks({ recipe, sources }: BuildRequest, host: Host, run: Run): Promise<void> {
  await converge(recipe, { host, run, check: false, sources });
}

function keep({ guest, sshLine }: BootedGuest, run: Run): void {
  guest.keep();
  run.note(`The builder stays up as asked: ${sshLine}`, "warning");
  run.note(`When done: virsh destroy ${guest.name}, then provision gc`, "warning");
}

type TimedPhase = <T>(
  title: string,
  work: (run: Run) => Promise<T>,
  result?: (value: T) => string,
) => Promise<T>;

/** Steps whose times are kept for the manifest. */
function timed(run: Run): { phase: TimedPhase; phases: Phase[] } {
  const phases: Phase[] = [];
  const phase: TimedPhase = async (title, work, result) => {
    const started = run.now();
    const value = await run.within(title, work, result);
    phases.push({ name: title, ms: Math.round(run.now() - started) });
    return value;
  };
  return { phase, phases };
}

async function digestFile(path: string, signal: AbortSignal): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash, { signal });
  return { sha256: hash.digest("hex"), bytes: (await stat(path)).size };
}
