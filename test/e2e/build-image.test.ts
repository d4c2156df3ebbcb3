import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { layOutDisk, defaultSizes, offsetOf } from "../../src/provisioner/image/disk-layout.ts";
import { baseSettings } from "../../src/provisioner/image/base-settings.ts";
import type { Manifest } from "../../src/provisioner/image/manifest.ts";
import { program } from "../../src/provisioner/local/program.ts";
import { eventsOf, launch, stepsOf, type LaunchedRun } from "../support/launcher.ts";
import { killAlone } from "../support/kill-alone.ts";
import { openOwnCache, type OwnCache } from "../support/own-cache.ts";
import { recordedRun } from "../support/recorded-run.ts";

const { run } = recordedRun();
const { cacheDir } = baseSettings({ env: process.env, home: homedir(), isRoot: process.getuid?.() === 0 });

let own: OwnCache;
let images: string;
let env: Record<string, string>;

beforeAll(async () => {
  // What is found in it is of these runs alone, whatever else runs meanwhile.
  own = await openOwnCache(cacheDir);
  // Not below /root or a private folder: the hypervisor's user must be able to reach the image.
  images = await mkdtemp(join(tmpdir(), "provision-images-"));
  await program(["chmod", "0755", images], { run });
  env = { PROVISION_IMAGES: images, PROVISION_CACHE: own.cache };
});

afterAll(async () => {
  await own[Symbol.asyncDispose]();
  await rm(images, { recursive: true, force: true });
});

const virsh = (...args: readonly string[]) =>
  program(["virsh", "-q", "-c", "qemu:///system", ...args], { run });

/** What our runs could leave: domains with disks in our cache, scratch directories, unfinished images. */
async function leftovers(): Promise<string[]> {
  const names = (await virsh("list", "--all", "--name")).split("\n").filter(Boolean);
  const disks = await Promise.all(
    // Another test's may be gone by now.
    names.map(async (name) => ({ name, files: await virsh("domblklist", name).catch(() => "") })),
  );
  const folders = ["work", "scratch", "claims"].map((name) => join(own.cache, name));
  const entries = await Promise.all(
    [...folders, join(images, "base")].map((folder) => readdir(folder).catch(() => [])),
  );
  return [
    ...disks.filter(({ files }) => files.includes(own.folder)).map(({ name }) => name),
    ...entries.flat().filter((name) => !/^(latest|\d{8}-)/.test(name)),
  ];
}

describe("provision build --spec base", { shuffle: false }, () => {
  let built: LaunchedRun;
  let image: string;
  let manifest: Manifest;

  beforeAll(async () => {
    // The image of all profiles is held to the contract before it is published: full-image. This one only by its files.
    built = await launch(["build", "--spec", "base", "--yes", "--no-verify"], { env });
    for (const { message } of eventsOf(built, "error")) throw new Error(message);
    image = join(images, "base", "latest", "image.qcow2");
    manifest = JSON.parse(
      await readFile(join(images, "base", "latest", "manifest.json"), "utf8"),
    ) as Manifest;
  });

  it("ends 0 and publishes what it says", async () => {
    const bytes = await readFile(image);

    expect([built.exitCode, eventsOf(built, "error")]).toEqual([0, []]);
    expect(manifest.image.sha256).toBe(createHash("sha256").update(bytes).digest("hex"));
    expect(manifest.image.bytes).toBe(bytes.length);
    expect(await readlink(join(images, "base", "latest"))).toBe(manifest.version);
  });

  it("writes down every package, as a list and as a CycloneDX document", async () => {
    const sbom = JSON.parse(await readFile(join(images, "base", "latest", "sbom.cdx.json"), "utf8")) as {
      bomFormat: string;
      components: { purl: string }[];
    };

    expect(sbom.bomFormat).toBe("CycloneDX");
    expect(sbom.components.length).toBe(manifest.packages.length);
    expect(sbom.components.some(({ purl }) => purl.startsWith("pkg:deb/debian/openssh-server@"))).toBe(true);
    expect(manifest.packages.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["htop", "openssh-server"]),
    );
  });

  it("leaves no machine, no scratch directory and no unfinished image", async () => {
    expect(await leftovers()).toEqual([]);
  });

  it("does nothing when run again", async () => {
    const again = await launch(["build", "--spec", "base"], { env });

    expect([again.exitCode, stepsOf(again)]).toEqual([0, []]);
    expect(eventsOf(again, "result")[0]?.data).toMatchObject({ fresh: false });
  });

  it("says with --check that nothing is to be done, and why when something is", async () => {
    const nothing = await launch(["build", "--spec", "base", "--check"], { env });
    const elsewhere = await launch(["plan", "build", "--spec", "base"], {
      env: { ...env, PROVISION_IMAGES: join(images, "x") },
    });

    expect(nothing.exitCode).toBe(0);
    expect(elsewhere.exitCode).toBe(3);
    expect(eventsOf(elsewhere, "result")[0]?.text).toContain("there is no image yet");
  });

  it("is broken by a user with sudo that is planted in a copy, who is named", async () => {
    const folder = await mkdtemp(join(images, "planted-"));
    await plantUser(image, folder, manifest);

    const verified = await launch(["verify", folder], { env });

    const broken = eventsOf(verified, "assertion").filter(({ held }) => !held);
    expect(verified.exitCode).toBe(6);
    expect(broken.map(({ promise, moment }) => [promise, moment])).toEqual([
      ["no-users", "files"],
      ["no-administrators", "files"],
    ]);
    expect(eventsOf(verified, "error")[0]?.message).toContain('user "mallory" with uid 1000');
    expect(eventsOf(verified, "error")[0]?.message).toContain('"mallory" in group "sudo"');
    expect(await leftovers()).toEqual([]);
  });
});

/** A copy of an image with one more user, written into its file system from outside. */
async function plantUser(image: string, folder: string, manifest: Manifest): Promise<void> {
  const raw = join(folder, "disk.raw");
  await program(["qemu-img", "convert", "-O", "raw", image, raw], { run });
  const offset = offsetOf(layOutDisk(defaultSizes, manifest.key).root);
  const device = `${raw}?offset=${offset}`;
  for (const [name, change] of [
    ["passwd", (text: string) => `${text}\nmallory:x:1000:1000::/home/mallory:/bin/bash\n`],
    ["group", (text: string) => `${text.replace(/^sudo:(.*):$/m, "sudo:$1:mallory")}\n`],
  ] as const) {
    const file = join(folder, name);
    await writeFile(file, change(await program(["debugfs", "-R", `cat /etc/${name}`, device], { run })));
    await program(["debugfs", "-w", "-R", `rm /etc/${name}`, device], { run });
    await program(["debugfs", "-w", "-R", `write ${file} /etc/${name}`, device], { run });
  }
  await program(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, join(folder, "image.qcow2")], {
    run,
  });
  await writeFile(join(folder, "manifest.json"), JSON.stringify(manifest));
}

describe("a build that is stopped while its builder boots", { shuffle: false }, () => {
  const booting = (act: (pid: number) => void) => {
    let done = false;
    return launch(["build", "--spec", "base", "--force"], {
      env,
      seen: (event, pid) => {
        // The domain is there once the guest is waited for.
        if (done || event.kind !== "step-progress" || event.text !== "running") return;
        done = true;
        act(pid);
      },
    });
  };

  it("leaves nothing behind on Ctrl-C, and ends 130", async () => {
    const stopped = await booting((pid) => process.kill(-pid, "SIGINT"));

    expect(stopped.exitCode).toBe(130);
    expect(stepsOf(stopped)).toContain("Boot builder");
    expect(await leftovers()).toEqual([]);
  });

  it("leaves to `gc` what it could not remove when it was killed", async () => {
    await using _alone = await killAlone();
    await booting((pid) => process.kill(-pid, "SIGKILL"));
    const left = await leftovers();

    const looked = await launch(["gc", "--check"], { env });
    const collected = await launch(["gc"], { env });

    expect(left.some((name) => name.startsWith("provision-builder-"))).toBe(true);
    expect([looked.exitCode, collected.exitCode]).toEqual([3, 0]);
    expect(await leftovers()).toEqual([]);
  });
});
