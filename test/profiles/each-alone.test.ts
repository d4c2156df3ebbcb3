import { mkdtemp, readdir, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { baseSettings } from "../../src/provisioner/image/base-settings.ts";
import { program } from "../../src/provisioner/local/program.ts";
import { eventsOf, launch } from "../support/launcher.ts";
import { recordedRun } from "../support/recorded-run.ts";
import { bootDisk } from "../support/scratch-guest.ts";
import { gatewayOf, openShippedProject, type ShippedProject } from "../support/shipped-project.ts";
import { startSystemdHost } from "../support/systemd-host.ts";
import { systemdRoot } from "../support/systemd-root.ts";

// Each shipped spec by itself. Not among the tests of every change: without KVM it takes five minutes a spec, and the
// image of all of them together is built and held to its contract there.
const { run } = recordedRun();
const settings = baseSettings({ env: process.env, home: homedir(), isRoot: process.getuid?.() === 0 });
const files = await readdir(join(import.meta.dirname, "../../specs"));
const profiles = files.filter((file) => file.endsWith(".yaml")).map((file) => basename(file, ".yaml"));

let shipped: ShippedProject;
let images: string;
let env: Record<string, string>;

beforeAll(async () => {
  images = await mkdtemp(join(tmpdir(), "provision-images-"));
  await program(["chmod", "0755", images], { run });
  await using builder = await startSystemdHost(await systemdRoot(settings.cacheDir));
  shipped = await openShippedProject({
    builder,
    address: "0.0.0.0",
    seenAt: await gatewayOf("default", run),
  });
  env = { PROVISION_HOME: shipped.project.home, PROVISION_IMAGES: images };
});

afterAll(async () => {
  await shipped[Symbol.asyncDispose]();
  await rm(images, { recursive: true, force: true });
});

describe.each(profiles)("the profile %s", (profile) => {
  it("builds alone, and a guest of it has no failed unit and nothing to change, in one flight", async () => {
    // One whose root can be written to is held to the contract; the other kind is in the image of all of them.
    const verify = profile === "base" ? [] : ["--no-verify"];
    const built = await launch(["build", "--spec", profile, "--yes", ...verify], { env });
    expect([built.exitCode, eventsOf(built, "error")]).toEqual([0, []]);

    await using guest = await bootDisk(join(images, profile, "latest/image.qcow2"), { memoryMiB: 2048 });
    const failed = await guest.sh("systemctl list-units --failed --plain --no-legend");
    const applied = await launch(["apply", "--spec", profile, ...guest.login], { env });

    expect(failed).toBe("");
    expect([applied.exitCode, eventsOf(applied, "error")]).toEqual([0, []]);
    expect(eventsOf(applied, "result")[0]?.data).toMatchObject({ changed: 0, flights: 1 });
  });
});
