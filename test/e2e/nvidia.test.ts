import { homedir } from "node:os";
import process from "node:process";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { baseSettings } from "../../src/provisioner/image/base-settings.ts";
import { eventsOf, type LaunchedRun } from "../support/launcher.ts";
import { type NvidiaHost, startNvidiaHost } from "../support/nvidia-host.ts";
import { whyNoSystemdHost } from "../support/systemd-host.ts";

const why = whyNoSystemdHost();
const { cacheDir } = baseSettings({ env: process.env, home: homedir(), isRoot: true });
const outcome = (done: LaunchedRun) => [done.exitCode, eventsOf(done, "error")];

// What needs no compiled module, which takes minutes. That one is in the base that full-image builds on; a host on which it is
// compiled is in test/profiles.
describe.skipIf(why !== undefined)(
  `the nvidia profile on a host with systemd in namespaces${why ? ` (skipped: ${why})` : ""}`,
  { shuffle: false },
  () => {
    let opened: NvidiaHost;
    let host: NvidiaHost["host"];
    const apply = (...more: readonly string[]) => opened.apply(...more);

    beforeAll(async () => {
      opened = await startNvidiaHost(cacheDir);
      ({ host } = opened);
    });

    afterAll(() => opened[Symbol.asyncDispose]());

    it("settles all but the driver, and has nothing to change the second time, in one flight", async () => {
      const done = await apply("--skip", "nvidia-driver");
      const again = await apply("--skip", "nvidia-driver");

      expect([outcome(done), outcome(again)]).toEqual([
        [0, []],
        [0, []],
      ]);
      expect(eventsOf(again, "result")[0]?.data).toMatchObject({ changed: 0, flights: 1 });
    });

    it("has units that systemd accepts, and that no machine without a GPU starts or fails", async () => {
      const ours = ["nvidia-cdi.service", "nvidia-gpu-exporter.service"];

      for (const unit of ours) await host.sh(`systemctl start ${unit}`);
      const states = await host.sh(`systemctl is-active ${ours.join(" ")} || true`);

      expect(states.split("\n")).toEqual(["inactive", "inactive"]);
      expect(await host.sh(`systemctl show -P ConditionResult ${ours.join(" ")}`)).toBe("no\n\nno");
      // The driver's own program, which they call before they start.
      await host.sh("ln -s /bin/true /usr/bin/nvidia-modprobe");
      expect(await host.sh(`systemd-analyze verify --man=no ${ours.join(" ")} 2>&1`)).toBe("");
      await host.sh("rm /usr/bin/nvidia-modprobe");
      expect(await opened.failedUnits()).toBe("");
    });

    it("gives the exporter few rights: systemd calls it well protected", async () => {
      const told = await host.sh(
        "systemd-analyze security --no-pager nvidia-gpu-exporter.service | tail -n 1",
      );

      expect(told).toMatch(/exposure level for nvidia-gpu-exporter\.service: [0-2]\.\d OK/);
    });

    it("refuses another kernel by name, with the way out", async () => {
      await host.sh("mkdir -p /lib/modules/6.1.0-1-amd64/kernel");

      const refused = await apply("--only", "nvidia-driver");

      await host.sh("rm -r /lib/modules/6.1.0-1-amd64");
      expect(eventsOf(refused, "error")).toMatchObject([
        {
          code: "TASK_REFUSED",
          message: expect.stringMatching(
            /there is 6\.1\.0-1-amd64; boot .*purge linux-image-6\.1\.0-1-amd64/,
          ),
        },
      ]);
    });

    it("shows the end of the log when the module does not compile, and leaves no key", async () => {
      await host.sh(
        [
          // By its own name: apt gives the packages' scripts a PATH without /usr/local.
          "cat >/usr/bin/make <<'E'",
          "#!/bin/sh",
          "echo \"nvidia/nv-pci.c:237:9: error: too few arguments to function 'pci_resize_resource'\"",
          "echo 'make: *** [Makefile:80: modules] Error 2'",
          "exit 2",
          "E",
          "chmod 755 /usr/bin/make",
        ].join("\n"),
      );

      const failed = await apply("--only", "nvidia-driver");

      expect(failed.exitCode).not.toBe(0);
      expect(eventsOf(failed, "error")).toMatchObject([
        {
          code: "ACTION_FAILED",
          message: expect.stringMatching(
            /From \/var\/lib\/dkms\/.*make\.log:[^]*error: too few arguments[^]*make: \*\*\* \[Makefile:80: modules\] Error 2/,
          ),
        },
      ]);
      expect(await host.sh("ls /var/lib/dkms")).not.toContain("mok");
      expect(await opened.failedUnits()).toBe("");
    });
  },
);
