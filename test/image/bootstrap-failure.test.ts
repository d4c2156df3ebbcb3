import { expect, it } from "vitest";

import { ProvisionError } from "../../src/provisioner/core/errors.ts";
import { explainBootstrap, isComplaint } from "../../src/provisioner/image/bootstrap-failure.ts";

const failed = new ProvisionError("PROGRAM_FAILED", {
  program: "mmdebstrap",
  why: "must exit 0, is 25",
  tail: "",
});

it.each([
  ["E: Unable to locate package no-such-thing", "BASE_PACKAGE_UNKNOWN", "no-such-thing"],
  ["E: Package 'libfoo2' has no installation candidate", "BASE_PACKAGE_UNKNOWN", "libfoo2"],
  [
    "E: Failed to fetch http://archive.example/dists/trixie/InRelease  Could not connect to archive.example:80",
    "ARCHIVE_UNUSABLE",
    "Could not connect",
  ],
  [
    "Err:1 http://nowhere.example trixie InRelease: Could not resolve 'nowhere.example'",
    "ARCHIVE_UNUSABLE",
    "resolve",
  ],
  [
    "E: The repository 'http://a.example trixie Release' does not have a Release file.",
    "ARCHIVE_UNUSABLE",
    "Release",
  ],
  [
    "E: Version '6.12.118-1' for 'linux-image-6.12.118+deb13-cloud-amd64' was not found",
    "BASE_PACKAGE_UNKNOWN",
    "linux-image-6.12.118+deb13-cloud-amd64=6.12.118-1",
  ],
  [
    "Error! Bad return status for module build on kernel: 6.12.118+deb13-cloud-amd64 (x86_64)",
    "BOOTSTRAP_FAILED",
    "module build on kernel",
  ],
  ["E: setup failed: E: command failed: chroot", "BOOTSTRAP_FAILED", "command failed"],
])("makes of apt's %j the error %s", (line, code, names) => {
  expect(isComplaint(line)).toBe(true);

  const explained = explainBootstrap("debian-13", [line], failed);

  expect(explained).toMatchObject({ code, cause: failed, message: expect.stringContaining(names) as string });
});

it("leaves a stop alone", () => {
  const stopped = new Error("stopped");

  expect(explainBootstrap("debian-13", [], stopped)).toBe(stopped);
});
