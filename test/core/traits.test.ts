import { describe, expect, it } from "vitest";

import { osReleasePath, readDistribution, traitsOf } from "../../src/provisioner/core/task.ts";
import { emptyMachine } from "../support/fake-host.ts";
import { osReleases } from "../support/os-releases.ts";

/** What a task finds out of a machine with this os-release. */
function traitsBy(osRelease: string) {
  const { files } = emptyMachine();
  files.write(osReleasePath, osRelease);
  return traitsOf(readDistribution(files.read(osReleasePath) ?? "")?.name ?? "");
}

describe("traitsOf", () => {
  it.each(["debian-12", "debian-13"] as const)("finds %s by what it says of itself", (name) => {
    expect(traitsBy(osReleases[name])).toMatchObject({
      kernel: "/vmlinuz",
      initrd: "/initrd.img",
      espFolder: "debian",
    });
  });

  it("finds Ubuntu 24.04, which keeps its kernel in /boot", () => {
    expect(traitsBy(osReleases["ubuntu-24.04"])).toMatchObject({
      kernel: "/boot/vmlinuz",
      initrd: "/boot/initrd.img",
      espFolder: "ubuntu",
    });
  });

  it.each(["debian", "debian-11", "fedora-41", "toString"])("knows nothing of %s", (name) => {
    expect(traitsOf(name)).toBeUndefined();
  });
});
