import { existsSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";

import { beforeEach, describe, expect, it } from "vitest";

import type { Base } from "../../src/provisioner/image/base-image.ts";
import { boxFiles, makeBox } from "../../src/provisioner/image/vagrant-box.ts";
import { program } from "../../src/provisioner/local/program.ts";
import { shippedTemplates } from "../support/bases.ts";
import { fakeWorkshop } from "../support/fake-workshop.ts";
import { quietRun } from "../support/quiet-run.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

let folder: string;
let out: string;
let base: Base;

beforeEach(async () => {
  folder = await scratchFolder();
  out = join(folder, "boxes/debian-13.box");
  base = await (await fakeWorkshop(folder)).request().prepareBase(quietRun());
});

function make(run = quietRun()) {
  return makeBox({ base, out, cacheDir: join(folder, "cache"), render: shippedTemplates }, run);
}

async function unpacked(): Promise<(name: string) => Promise<string>> {
  const to = await scratchFolder();
  await program(["tar", "--extract", `--file=${out}`, `--directory=${to}`], { run: quietRun() });
  return async (name) => readFile(join(to, name), "utf8");
}

describe("a box for Vagrant", () => {
  it("holds the base, a seed beside it, and what Vagrant and provision read", async () => {
    const { bytes } = await make();

    const listed = await program(["tar", "--list", `--file=${out}`], { run: quietRun() });
    const read = await unpacked();
    expect(listed.split("\n").toSorted()).toEqual(
      [...Object.values(boxFiles), "Vagrantfile", "box.img", "metadata.json", "seed.img"].toSorted(),
    );
    expect(JSON.parse(await read("metadata.json"))).toEqual({
      provider: "libvirt",
      disks: [{ path: "box.img" }, { path: "seed.img" }],
    });
    expect(JSON.parse(await read(boxFiles.origin))).toEqual({ base: "debian-13", distribution: "debian-13" });
    expect(await read("Vagrantfile")).toContain('libvirt.loader = "/usr/share/ovmf/OVMF.fd"');
    expect((await stat(out)).size).toBe(bytes);
  });

  it("lets its own key alone in, and proves its machines with a key of its own, by the seed", async () => {
    await make();

    const read = await unpacked();
    const to = await scratchFolder();
    const run = quietRun();
    await program(["tar", "--extract", `--file=${out}`, `--directory=${to}`, "seed.img", "key"], { run });
    await program(["qemu-img", "convert", "-O", "raw", join(to, "seed.img"), join(to, "seed.raw")], { run });
    const userData = await program(["mtype", "-i", join(to, "seed.raw"), "::user-data"], { run });
    const login = await program(["ssh-keygen", "-y", "-f", join(to, "key")], { run });
    expect(userData).toContain(login.trim().split(" ").slice(0, 2).join(" "));
    expect(userData).toContain((await read(boxFiles.hostKey)).trim());
    expect((await read(boxFiles.hostKey)).trim()).not.toBe(login.trim());
    expect(userData).toContain('"vagrant"');
  });

  it("is readable for its owner alone, as are the keys in it", async () => {
    await make();

    const listed = await program(["tar", "--list", "--verbose", `--file=${out}`], { run: quietRun() });
    expect((await stat(out)).mode & 0o777).toBe(0o600);
    expect(
      listed.split("\n").filter((line) => /key|seed/.test(line) && !line.startsWith("-rw-------")),
    ).toEqual([]);
  });

  it("leaves the one that was there when it is stopped, and nothing beside it", async () => {
    await make();
    const before = await readFile(out);
    const controller = new AbortController();
    const run = quietRun(controller.signal);
    const within = run.within.bind(run);
    run.within = (title, work, words) => {
      if (title === "Pack the box") controller.abort();
      return within(title, work, words);
    };

    await expect(make(run)).rejects.toMatchObject({ name: "AbortError" });

    expect(await readdir(join(folder, "boxes"))).toEqual(["debian-13.box"]);
    expect((await readFile(out)).equals(before)).toBe(true);
    expect(await readdir(join(folder, "cache/scratch"))).toEqual([]);
  });

  it("says so when its place cannot be written", async () => {
    out = join(base.path, "debian-13.box");

    await expect(make()).rejects.toMatchObject({ code: "FOLDER_UNUSABLE" });
    expect(existsSync(`${out}.partial`)).toBe(false);
  });
});
