import type { DriverPin, PinnedDriver } from "../../src/provisioner/core/driver-pin.ts";

/** A driver for Debian 13 and a kernel of its time; `changes` say what a test is about. */
export function someDriver(name: string, changes: Partial<DriverPin> = {}): PinnedDriver {
  const pin: DriverPin = {
    version: "5.0.1",
    flavour: "proprietary",
    kernel: "6.12.1+deb13-cloud-amd64",
    module: `${name}-current`,
    packages: [
      "linux-image-6.12.1+deb13-cloud-amd64=6.12.1-1",
      "linux-headers-6.12.1+deb13-cloud-amd64=6.12.1-1",
      `${name}-kernel-dkms=5.0.1-2`,
    ],
    ...changes,
  };
  return { name, pins: { "debian-13": pin } };
}
