import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { eventsOf, launch } from "../support/launcher.ts";

// A project, a home of boxes and a name of their own: what somebody works with stays as it is.
const box = `provision/e2e-${process.pid}`;
let folder: string;
let env: Record<string, string>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "provision-vagrant-"));
  env = { VAGRANT_HOME: join(folder, "home"), VAGRANT_CWD: folder, PROVISION_BOX: box };
  await copyFile(join(import.meta.dirname, "../../Vagrantfile"), join(folder, "Vagrantfile"));
});

afterAll(async () => {
  await vagrant("destroy", "-f");
  const { stdout } = await execa("virsh", ["-c", "qemu:///system", "vol-list", "default"]);
  const volumes = stdout.split("\n").flatMap((line) => line.trim().split(/\s+/, 1));
  for (const volume of volumes.filter((name) => name.startsWith(box.replace("/", "-VAGRANTSLASH-"))))
    await execa("virsh", ["-c", "qemu:///system", "vol-delete", volume, "--pool", "default"]);
  await rm(folder, { recursive: true, force: true });
});

async function vagrant(...args: string[]): Promise<string> {
  return (await execa("vagrant", args, { env, cwd: folder })).stdout;
}

describe("a machine by Vagrant", { shuffle: false }, () => {
  it("is made of a box that provision made", async () => {
    const file = join(folder, "debian-13.box");

    const run = await launch(["base", "box", "--out", file]);
    await vagrant("box", "add", "--name", box, file);
    await vagrant("up");

    expect([run.exitCode, eventsOf(run, "error")]).toEqual([0, []]);
    expect(await vagrant("ssh", "-c", "sudo cat /proc/cmdline")).toContain("root=");
  });

  it("is what tasks are proved on, and runs on as it was", async () => {
    await vagrant("ssh", "-c", "touch mine");

    const run = await launch(["test", "sysctl", "--vagrant"], { env });

    expect([run.exitCode, eventsOf(run, "error")]).toEqual([0, []]);
    expect(eventsOf(run, "result")[0]?.text).toMatch(/^sysctl +Route packets .*removed, altered: mended/m);
    expect(await vagrant("ssh", "-c", "ls; ls /etc/sysctl.d")).toMatch(/^mine$(?![\s\S]*provision)/m);
  });

  it("is brought to what a spec says", async () => {
    const run = await launch(["apply", "--spec", "base", "--vagrant", "--check"], { env });

    expect([run.exitCode, eventsOf(run, "error")]).toEqual([3, []]);
  });
});
