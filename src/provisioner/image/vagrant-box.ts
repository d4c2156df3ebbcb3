import { randomBytes } from "node:crypto";
import { chmod, mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { ProvisionError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import type { RenderTemplate } from "../core/templates.ts";
import { type KeyPair, makeKeyPair } from "../libvirt/host-keys.ts";
import { builderSeed, makeSeed, type Seed } from "../libvirt/seed.ts";
import { needSpace } from "../local/free-space.ts";
import { program } from "../local/program.ts";
import { openScratch } from "../local/scratch.ts";
import type { Base } from "./base-image.ts";
import { flatten } from "./qemu-img.ts";

/** The files of a box that provision itself looks for, where Vagrant has unpacked it. */
export const boxFiles = { key: "key", hostKey: "host-key.pub", origin: "provision.json" } as const;

/** What a box says of itself: the content of `boxFiles.origin`. */
export interface BoxOrigin {
  readonly base: string;
  readonly distribution: string;
}

/** Firmware in one piece, as vagrant-libvirt takes it without a file for its variables; of Debian's package ovmf. */
export const boxFirmware = "/usr/share/ovmf/OVMF.fd";

const user = "vagrant";
/** Tree, disk and box side by side. */
const NEEDED_BYTES = 2 * 1024 ** 3;

/** What a box is made from. */
export interface BoxPlan {
  readonly base: Base;
  /** Where it goes; absolute. What is there is replaced, once the new one is whole. */
  readonly out: string;
  readonly cacheDir: string;
  readonly render: RenderTemplate;
}

/**
 * Makes a box for Vagrant's provider libvirt: the base as it is, and beside it a seed disk with the user `vagrant` and the
 * host key of its machines. Both keys are made for this box, and it is readable for its owner alone.
 */
export async function makeBox(
  { base, out, cacheDir, render }: BoxPlan,
  run: Run,
): Promise<{ bytes: number }> {
  await needSpace(cacheDir, NEEDED_BYTES, "the box");
  await using scratch = await openScratch(join(cacheDir, "scratch"), "box");
  const folder = join(scratch.path, "box");
  await mkdir(folder, { mode: 0o700 });
  const [hostKey, login] = await Promise.all([makeKeyPair(), makeKeyPair()]);
  await run.within("Compress the disk", (inner) => flatten(base.path, join(folder, "box.img"), inner));
  const seed = join(scratch.path, "seed.raw");
  await makeSeed(boxSeed({ hostKey, login }), seed);
  await program(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", seed, join(folder, "seed.img")], { run });
  await chmod(join(folder, "seed.img"), 0o600);
  const texts = boxTexts({ base, hostKey, login, render });
  for (const [name, text] of Object.entries(texts))
    await writeFile(join(folder, name), text, { mode: 0o600 });
  await run.within("Pack the box", (inner) =>
    pack(folder, [...Object.keys(texts), "seed.img", "box.img"], { out, run: inner }),
  );
  return { bytes: (await stat(out)).size };
}

/** Who may come in, and what its machines prove themselves with. Vagrant gives it a name of its own. */
function boxSeed({ hostKey, login }: { hostKey: KeyPair; login: KeyPair }): Seed {
  const id = randomBytes(4).toString("hex");
  return builderSeed({ instanceId: `provision-box-${id}`, hostKey, user, authorizedKey: login.publicKey });
}

/** The small files of a box, by name. */
function boxTexts({
  base,
  hostKey,
  login,
  render,
}: {
  readonly base: Base;
  readonly hostKey: KeyPair;
  readonly login: KeyPair;
  readonly render: RenderTemplate;
}): Readonly<Record<string, string>> {
  const origin: BoxOrigin = { base: base.name, distribution: base.distribution };
  // Two disks: the format of boxes that vagrant-libvirt has since 0.6.
  const metadata = { provider: "libvirt", disks: [{ path: "box.img" }, { path: "seed.img" }] };
  return {
    "metadata.json": json(metadata),
    Vagrantfile: render("vagrant/Vagrantfile", { user, keyFile: boxFiles.key, firmware: boxFirmware }),
    [boxFiles.origin]: json(origin),
    [boxFiles.hostKey]: `${hostKey.publicKey}\n`,
    [boxFiles.key]: login.privateKey,
  };
}

/** Packs it beside its place, then puts it there. */
async function pack(
  folder: string,
  names: readonly string[],
  { out, run }: { readonly out: string; readonly run: Run },
): Promise<void> {
  const partial = `${out}.partial`;
  await writable(out, () => writeFile(partial, "", { mode: 0o600 }));
  try {
    await chmod(partial, 0o600);
    // Not gzipped, which Vagrant does not mind: the disk is compressed already.
    const owners = ["--owner=0", "--group=0", "--numeric-owner"] as const;
    await program(["tar", "--create", `--file=${partial}`, `--directory=${folder}`, ...owners, ...names], {
      run,
    });
    await rename(partial, out);
  } finally {
    await rm(partial, { force: true });
  }
}

async function writable(out: string, write: () => Promise<void>): Promise<void> {
  try {
    await mkdir(dirname(out), { recursive: true });
    await write();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const mend = "Name another file with --out, or make its folder writable";
    throw new ProvisionError("FOLDER_UNUSABLE", { path: out, reason, mend }, { cause: error });
  }
}

function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
