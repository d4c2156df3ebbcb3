import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { DriverPin } from "../../src/provisioner/core/driver-pin.ts";
import { baseSettings } from "../../src/provisioner/image/base-settings.ts";
import { eventsOf, launch, type LaunchedRun } from "../support/launcher.ts";
import { openShippedProject, shippedPins, type ShippedProject } from "../support/shipped-project.ts";
import { startSystemdHost, type SystemdHost, whyNoSystemdHost } from "../support/systemd-host.ts";
import { systemdRoot } from "../support/systemd-root.ts";

const why = whyNoSystemdHost();
const { cacheDir } = baseSettings({ env: process.env, home: homedir(), isRoot: true });
const outcome = (done: LaunchedRun) => [done.exitCode, eventsOf(done, "error")];

/** Long: the module is compiled, at this machine's own speed. */
const LONG_MS = 1_800_000;

// One host, to which things are done in this order: a build that fails, the mend, the whole profile, twice.
describe.skipIf(why !== undefined)(
  `the nvidia profile on a host with systemd in namespaces${why ? ` (skipped: ${why})` : ""}`,
  { shuffle: false },
  () => {
    let pin: DriverPin;
    let shipped: ShippedProject;
    let host: SystemdHost;

    beforeAll(async () => {
      const { drivers = {}, bases } = await shippedPins();
      pin = drivers["nvidia"]?.["debian-13"] as DriverPin;
      shipped = await openShippedProject();
      const base = bases["debian-13-nvidia"];
      if (base?.kind !== "bootstrap") throw new Error("versions.yaml has no base for the nvidia profile");
      const root = await systemdRoot(cacheDir, {
        suite: base.suite,
        // The kernel and what compiles; the driver itself is the task's.
        packages: ["dkms", "udev", ...pin.packages.filter((name) => name.startsWith("linux-"))],
        sources: base.sources.flatMap(({ url, suites, components }) =>
          suites.map((suite) => `deb ${url} ${suite} ${components.join(" ")}`),
        ),
      });
      host = await startSystemdHost(root, { sizeGiB: 6 });
    }, LONG_MS);

    afterAll(async () => {
      await host[Symbol.asyncDispose]();
      await shipped[Symbol.asyncDispose]();
    });

    const apply = (...more: readonly string[]) =>
      launch(["apply", "--spec", "nvidia", ...host.login, ...more], {
        env: { PROVISION_HOME: shipped.project.home, PROVISION_CACHE: join(shipped.project.home, "cache") },
      });
    const failedUnits = () => host.sh("systemctl list-units --failed --plain --no-legend");

    it(
      "shows the end of the log when the module does not compile, and leaves no key",
      async () => {
        await host.sh(
          [
            // By its own name: apt gives the packages' scripts a PATH without /usr/local.
            "mv /usr/bin/make /usr/bin/make.real",
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
        expect(await failedUnits()).toBe("");
      },
      LONG_MS,
    );

    it(
      "settles once the mend is made: the module is compiled for the pinned kernel",
      async () => {
        await host.sh("mv /usr/bin/make.real /usr/bin/make");

        const done = await apply();

        expect(outcome(done)).toEqual([0, []]);
        expect(await host.sh(`modinfo -k ${pin.kernel} -F version ${pin.module}`)).toBe(pin.version);
        expect((await host.sh(`modinfo -k ${pin.kernel} -F vermagic ${pin.module}`)).split(" ")[0]).toBe(
          pin.kernel,
        );
        expect(await host.sh("dkms status")).toContain(`${pin.module}/${pin.version}, ${pin.kernel}`);
        expect(await host.sh("ls /lib/modules")).toBe(pin.kernel);
        expect(await host.sh("dpkg --audit")).toBe("");
      },
      LONG_MS,
    );

    it("has nothing to change the second time, and finds that out in one flight", async () => {
      const again = await apply();

      expect(outcome(again)).toEqual([0, []]);
      expect(eventsOf(again, "result")[0]?.data).toMatchObject({ changed: 0, flights: 1 });
    });

    it("leaves neither the key that signs modules nor nouveau", async () => {
      expect(await host.sh("ls /var/lib/dkms")).not.toContain("mok");
      expect(await host.sh("modprobe --showconfig | grep '^blacklist nouveau'")).toContain("nouveau");
    });

    it("loads no module at boot by a list, which would fail without a GPU", async () => {
      const lists = "/etc/modules-load.d /usr/lib/modules-load.d";

      expect(await host.sh(`cat $(find ${lists} -name '*.conf') | grep -E '^[^#;]*nvidia' || true`)).toBe("");
    });

    it("has units that systemd accepts, and that no machine without a GPU starts or fails", async () => {
      const ours = ["nvidia-cdi.service", "nvidia-gpu-exporter.service", "nvidia-persistenced.service"];

      for (const unit of ours) await host.sh(`systemctl start ${unit}`);
      const states = await host.sh(`systemctl is-active ${ours.join(" ")} || true`);

      expect(states.split("\n")).toEqual(["inactive", "inactive", "inactive"]);
      expect(await host.sh(`systemctl show -P ConditionResult ${ours.join(" ")}`)).toBe("no\n\nno\n\nno");
      expect(await host.sh(`systemd-analyze verify --man=no ${ours.join(" ")} 2>&1`)).toBe("");
      expect(await failedUnits()).toBe("");
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

      expect(eventsOf(refused, "error")).toMatchObject([
        {
          code: "TASK_REFUSED",
          message: expect.stringMatching(
            /there is 6\.1\.0-1-amd64; boot .*purge linux-image-6\.1\.0-1-amd64/,
          ),
        },
      ]);
    });
  },
);
