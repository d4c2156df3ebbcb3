import { join } from "node:path";

import type { DriverPin } from "../../src/provisioner/core/driver-pin.ts";
import { launch, type LaunchedRun } from "./launcher.ts";
import { openShippedProject, shippedPins } from "./shipped-project.ts";
import { startSystemdHost, type SystemdHost } from "./systemd-host.ts";
import { systemdRoot } from "./systemd-root.ts";

/** A host with systemd in namespaces that has the pinned kernel and what compiles, and nothing of the driver. */
export interface NvidiaHost extends AsyncDisposable {
  readonly host: SystemdHost;
  readonly pin: DriverPin;
  /** Settles the profile `nvidia` on it. */
  apply(...more: readonly string[]): Promise<LaunchedRun>;
  failedUnits(): Promise<string>;
}

/** Starts one; its root is made once and lies in the cache. */
export async function startNvidiaHost(cacheDir: string): Promise<NvidiaHost> {
  const { drivers = {}, bases } = await shippedPins();
  const pin = drivers["nvidia"]?.["debian-13"] as DriverPin;
  const shipped = await openShippedProject();
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
  const host = await startSystemdHost(root, { sizeGiB: 6 });
  return {
    host,
    pin,
    apply: (...more) =>
      launch(["apply", "--spec", "nvidia", ...host.login, ...more], {
        env: { PROVISION_HOME: shipped.project.home, PROVISION_CACHE: join(shipped.project.home, "cache") },
      }),
    failedUnits: () => host.sh("systemctl list-units --failed --plain --no-legend"),
    async [Symbol.asyncDispose]() {
      await host[Symbol.asyncDispose]();
      await shipped[Symbol.asyncDispose]();
    },
  };
}
