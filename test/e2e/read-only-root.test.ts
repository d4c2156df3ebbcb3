import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { stateLayout } from "../../src/provisioner/core/state-layout.ts";
import { moments } from "../../src/provisioner/image/contract/clause.ts";
import { contract } from "../../src/provisioner/image/contract/contract.ts";
import { defaultSizes, layOutDisk, offsetOf } from "../../src/provisioner/image/disk-layout.ts";
import type { Manifest } from "../../src/provisioner/image/manifest.ts";
import { program } from "../../src/provisioner/local/program.ts";
import { eventsOf, launch, type LaunchedRun } from "../support/launcher.ts";
import { recordedRun } from "../support/recorded-run.ts";

const { run } = recordedRun();
const spec = join(import.meta.dirname, "specs/read-only-root.yaml");

let images: string;
let env: Record<string, string>;
let built: LaunchedRun;
let image: string;
let manifest: Manifest;

/** One build, whose own verification boots the image three times: what is tested here is what it found. */
beforeAll(async () => {
  images = await mkdtemp(join(tmpdir(), "provision-images-"));
  await program(["chmod", "0755", images], { run });
  env = { PROVISION_IMAGES: images };
  built = await launch(["build", "--spec", spec, "--yes"], { env });
  for (const { message } of eventsOf(built, "error")) throw new Error(message);
  const folder = join(images, "read-only-root", "latest");
  image = join(folder, "image.qcow2");
  manifest = JSON.parse(await readFile(join(folder, "manifest.json"), "utf8")) as Manifest;
});

afterAll(() => rm(images, { recursive: true, force: true }));

describe("an image with a read-only root", { shuffle: false }, () => {
  it("needs nothing that its base has not, not even another initramfs", () => {
    const uses = eventsOf(built, "use-ended").map(({ use, outcome, changes }) => [use, outcome, changes]);

    expect(uses).toEqual([["readonly-root /", "ok", []]]);
    expect(manifest.readOnlyRoot).toBe(true);
  });

  it("keeps every promise, in its files, on its first boot and over two reboots", () => {
    const found = eventsOf(built, "assertion");
    const asked = (moment: string, at: number) =>
      contract.filter(({ files, guest }) => (moment === "files" ? files : guest && guest.from < at));

    expect(found.filter(({ held }) => !held)).toEqual([]);
    for (const [at, moment] of moments.entries()) {
      expect(found.filter((each) => each.moment === moment).map(({ promise }) => promise)).toEqual(
        asked(moment, at).map(({ id }) => id),
      );
    }
  });

  it("is caught by its files when root is switched back, and is not booted then", async () => {
    const folder = await mkdtemp(join(images, "switched-"));
    await switchBack(folder);

    const verified = await launch(["verify", folder], { env });

    const broken = eventsOf(verified, "assertion").filter(({ held }) => !held);
    expect(verified.exitCode).toBe(6);
    expect(broken.map(({ promise, moment }) => [promise, moment])).toEqual([["root-read-only", "files"]]);
    expect(eventsOf(verified, "result")[0]?.data).toMatchObject({
      held: false,
      promises: expect.arrayContaining([
        expect.objectContaining({ promise: "root-read-only", found: { files: "broken" } }),
        expect.objectContaining({ promise: "no-users", found: { files: "held" } }),
      ]) as unknown,
    });
  });
});

/** A copy whose fstab mounts root for writing, as an unsealed one does. */
async function switchBack(folder: string): Promise<void> {
  const [raw, fstab] = [join(folder, "disk.raw"), join(folder, "fstab")];
  await program(["qemu-img", "convert", "-O", "raw", image, raw], { run });
  const device = `${raw}?offset=${offsetOf(layOutDisk(defaultSizes, manifest.key).root)}`;
  const { sealed, open } = stateLayout.fstab.root;
  const text = await program(["debugfs", "-R", "cat /etc/fstab", device], { run });
  await writeFile(fstab, `${text.replace(sealed, open)}\n`);
  await program(["debugfs", "-w", "-R", "rm /etc/fstab", device], { run });
  await program(["debugfs", "-w", "-R", `write ${fstab} /etc/fstab`, device], { run });
  await program(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, join(folder, "image.qcow2")], {
    run,
  });
  await writeFile(join(folder, "manifest.json"), JSON.stringify(manifest));
}
