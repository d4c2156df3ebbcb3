import { randomBytes } from "node:crypto";
import { constants, copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";

import { ProvisionError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import { openScratch } from "../local/scratch.ts";
import { checkGuest, type Seen } from "./contract/check-guest.ts";
import { checkTree } from "./contract/check-tree.ts";
import { type Assertion, type Moment, moments } from "./contract/clause.ts";
import { openTree } from "./image-tree.ts";
import { makeOverlay, virtualSize } from "./qemu-img.ts";
import { rebootGuest } from "./reboot-guest.ts";
import type { Workshop } from "./workshop.ts";

const GIB = 1024 ** 3;
/** So much larger than the image is the disk that it boots on: its state has to grow. */
const MORE_GIB = 2;
const [, ...boots] = moments;

/** The image to hold to its contract. */
export interface Candidate {
  /** The qcow2 file. */
  readonly path: string;
  readonly name: string;
  /** It says of itself that its root is read-only. */
  readonly readOnlyRoot: boolean;
  readonly machine: { readonly cpus: number; readonly memoryMiB: number };
}

/** What became of one promise at one moment. */
export interface Finding extends Assertion {
  readonly moment: Moment;
}

/**
 * Looks how an image keeps its contract: first its files, then a boot under a new identity and two reboots. Every
 * assertion is reported. The image itself is not written to. What is broken is left to `vouchFor`.
 */
export async function verifyImage(
  candidate: Candidate,
  shop: Workshop,
  run: Run,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const report = (assertions: readonly Assertion[], moment: Moment) => {
    for (const { promise, what, against } of assertions) {
      const held = against.length === 0;
      const found = against.join("; ");
      run.report({ kind: "assertion", promise, moment, what, held, ...(!held && { found }) });
      findings.push({ promise, what, against, moment });
    }
  };
  await using scratch = await openScratch(shop.workDir, "verify");
  const files = join(scratch.path, "files");
  await mkdir(files);
  report(
    await run.within("Check its files", async (inner) =>
      checkTree(await openTree(candidate.path, files, inner), candidate),
    ),
    "files",
  );
  // A boot tells nothing more of an image that already broke its promise.
  if (broken(findings).length === 0) {
    await bootAndCheck(candidate, { shop, folder: scratch.path, report, run });
  }
  return findings;
}

/** Throws CONTRACT_BROKEN with everything that does not hold. */
export function vouchFor(candidate: Pick<Candidate, "path">, findings: readonly Finding[]): void {
  const lines = broken(findings).map(
    ({ moment, what, against }) => `${moment}: ${what}: ${against.join("; ")}`,
  );
  if (lines.length > 0) throw new ProvisionError("CONTRACT_BROKEN", { image: candidate.path, broken: lines });
}

function broken(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter(({ against }) => against.length > 0);
}

interface Booting {
  readonly shop: Workshop;
  readonly folder: string;
  readonly report: (assertions: readonly Assertion[], moment: Moment) => void;
  readonly run: Run;
}

async function bootAndCheck(candidate: Candidate, { shop, folder, report, run }: Booting): Promise<void> {
  const { path, readOnlyRoot, machine } = candidate;
  const disk = join(folder, "disk.qcow2");
  // A copy: the hypervisor's user may not reach the store (a home directory, say), and libvirt would give it the file.
  const copy = join(folder, "image.qcow2");
  await copyFile(path, copy, constants.COPYFILE_FICLONE);
  const sizeGiB = Math.ceil((await virtualSize(copy, run)) / GIB) + MORE_GIB;
  await makeOverlay(copy, disk, { sizeGiB, run });
  await using driver = await shop.openDriver(run);
  await driver.startNetwork(shop.network);
  const user = "visitor";
  const hostName = `verify-${randomBytes(3).toString("hex")}`;
  const { network } = shop;
  await using booted = await run.within("Boot with a new identity", (inner) =>
    shop.bootGuest({ driver, role: "verify", network, folder, disk, machine, user, hostName, run: inner }),
  );
  const { host, hostKey, loginKey } = booted;
  const identity = { user, hostName, hostKey, loginKey };
  const claims = { readOnlyRoot };
  let earlier: Seen | undefined;
  for (const [boot, moment] of boots.entries()) {
    if (boot > 0)
      await run.within(`Reboot ${boot} of ${boots.length - 1}`, (inner) => rebootGuest(host, inner));
    const { assertions, seen } = await checkGuest(host, { boot, identity }, { claims, earlier, run });
    report(assertions, moment);
    earlier = seen;
  }
}
