import { expect, it } from "vitest";

import { baseFiles } from "../../src/provisioner/image/base-files.ts";
import { inputsOf, keyOf } from "../../src/provisioner/image/bootstrap-inputs.ts";
import type { BootstrapEntry } from "../../src/provisioner/pins/manifest.ts";
import { shippedTemplates, trixie } from "../support/bases.ts";

function keyFor(entry: BootstrapEntry, change: { epoch?: number; fstab?: string } = {}): string {
  const render: typeof shippedTemplates = (name, variables) =>
    shippedTemplates(name, variables) + (name === "base/fstab" ? (change.fstab ?? "") : "");
  return keyOf(inputsOf({ entry, epoch: change.epoch ?? 0, files: baseFiles(entry, render) }));
}

it("gives equal inputs an equal key, in whatever order they are written", () => {
  const turned = Object.fromEntries(Object.entries(trixie).toReversed()) as BootstrapEntry;

  expect(keyFor(turned)).toBe(keyFor({ ...trixie }));
});

it.each<[string, string]>([
  ["a package", keyFor({ ...trixie, packages: [...trixie.packages, "less"] })],
  ["the suite", keyFor({ ...trixie, suite: "bookworm" })],
  ["the archive", keyFor({ ...trixie, sources: trixie.sources.slice(1) })],
  ["the size of root", keyFor({ ...trixie, disk: { rootGiB: 7, stateGiB: 2 } })],
  ["the size of state", keyFor({ ...trixie, disk: { rootGiB: 6, stateGiB: 3 } })],
  ["the freshness bucket", keyFor(trixie, { epoch: 7 * 24 * 3600 })],
  ["a template", keyFor(trixie, { fstab: "# more\n" })],
])("changes the key when %s changes", (_what, changed) => {
  expect(changed).not.toBe(keyFor(trixie));
});

it("holds the programs that make the base, without paths of this machine", () => {
  const { steps } = inputsOf({ entry: trixie, epoch: 0, files: baseFiles(trixie, shippedTemplates) });
  const programs = steps.map(({ argv }) => argv[0]);

  expect(programs).toEqual(
    expect.arrayContaining(["mmdebstrap", "mkfs.ext4", "mkfs.vfat", "sfdisk", "qemu-img"]),
  );
  expect(JSON.stringify(steps)).not.toContain(import.meta.dirname);
});
