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

/** Long: the module is compiled, at this machine's own speed. */
const LONG_MS = 1_800_000;

describe.skipIf(why !== undefined)(
  `NVIDIA's driver, compiled on a host${why ? ` (skipped: ${why})` : ""}`,
  { shuffle: false },
  () => {
    let opened: NvidiaHost;
    let host: NvidiaHost["host"];

    beforeAll(async () => {
      opened = await startNvidiaHost(cacheDir);
      ({ host } = opened);
    });

    afterAll(() => opened[Symbol.asyncDispose]());

    it(
      "settles once what was in the way is gone: the module is there for the pinned kernel",
      async () => {
        const { pin } = opened;
        // A first try that fails leaves the packages half configured.
        await host.sh("mv /usr/bin/make /usr/bin/make.real; ln -s /bin/false /usr/bin/make");
        const failed = await opened.apply("--only", "nvidia-driver");
        await host.sh("mv /usr/bin/make.real /usr/bin/make");

        const done = await opened.apply();

        expect(failed.exitCode).toBe(5);
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
      const again = await opened.apply();

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

    it("keeps no program of the driver running, and none fails, without a GPU", async () => {
      await host.sh("systemctl start nvidia-persistenced.service");

      expect(await host.sh("systemctl is-active nvidia-persistenced.service || true")).toBe("inactive");
      expect(await host.sh("systemctl show -P ConditionResult nvidia-persistenced.service")).toBe("no");
      expect(await host.sh("systemd-analyze verify --man=no nvidia-persistenced.service 2>&1")).toBe("");
      expect(await opened.failedUnits()).toBe("");
    });
  },
);
