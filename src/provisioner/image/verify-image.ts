import { randomBytes } from "node:crypto";
import { constants, copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";

import { ProvisionError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import { openScratch } from "../local/scratch.ts";
import { checkTree, type Assertion } from "./contract.ts";
import { checkGuest, type Kept } from "./guest-contract.ts";
import { openTree } from "./image-tree.ts";
import { makeOverlay } from "./qemu-img.ts";
import { rebootGuest } from "./reboot-guest.ts";
import type { Workshop } from "./workshop.ts";

const REBOOTS = 2;

/** The image to hold to its contract. */
export interface Candidate {
  /** The qcow2 file. */
  readonly path: string;
  readonly name: string;
  /** It says of itself that its root is read-only. */
  readonly readOnlyRoot: boolean;
  readonly machine: { readonly cpus: number; readonly memoryMiB: number };
}

/**
 * Holds an image to its contract: first its files, then a boot under a new identity and two reboots. Every assertion
 * is reported; throws CONTRACT_BROKEN with all that do not hold. The image itself is not written to.
 */
export async function verifyImage(candidate: Candidate, shop: Workshop, run: Run): Promise<void> {
  const broken: string[] = [];
  const report = (assertions: readonly Assertion[], moment: string) => {
    for (const { what, against } of assertions) {
      const held = against.length === 0;
      const found = against.join("; ");
      run.report({ kind: "assertion", what: `${moment}: ${what}`, held, ...(!held && { found }) });
      if (!held) broken.push(`${moment}: ${what}: ${found}`);
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
  if (broken.length === 0) await bootAndCheck(candidate, { shop, folder: scratch.path, report, run });
  if (broken.length > 0) throw new ProvisionError("CONTRACT_BROKEN", { image: candidate.path, broken });
}

interface Booting {
  readonly shop: Workshop;
  readonly folder: string;
  readonly report: (assertions: readonly Assertion[], moment: string) => void;
  readonly run: Run;
}

async function bootAndCheck(candidate: Candidate, { shop, folder, report, run }: Booting): Promise<void> {
  const { path, readOnlyRoot, machine } = candidate;
  const disk = join(folder, "disk.qcow2");
  // A copy: the hypervisor's user may not reach the store (a home directory, say), and libvirt would give it the file.
  const copy = join(folder, "image.qcow2");
  await copyFile(path, copy, constants.COPYFILE_FICLONE);
  await makeOverlay(copy, disk, { run });
  await using driver = await shop.openDriver(run);
  await driver.startNetwork(shop.network);
  const user = "visitor";
  const hostName = `verify-${randomBytes(3).toString("hex")}`;
  const { network } = shop;
  await using booted = await run.within("Boot with a new identity", (inner) =>
    shop.bootGuest({ driver, role: "verify", network, folder, disk, machine, user, hostName, run: inner }),
  );
  const identity = { user, hostName, hostKey: booted.hostKey };
  let before: Kept | undefined;
  for (let boot = 0; boot <= REBOOTS; boot += 1) {
    if (boot > 0)
      await run.within(`Reboot ${boot} of ${REBOOTS}`, (inner) => rebootGuest(booted.host, inner));
    const checked = await checkGuest(booted.host, identity, { readOnlyRoot, before, run });
    report(checked.assertions, boot === 0 ? "first boot" : `reboot ${boot}`);
    before = checked.kept;
  }
}
