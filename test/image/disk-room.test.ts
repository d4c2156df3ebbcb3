import { describe, expect, it } from "vitest";

import { checkRoom, checkVendorRoom } from "../../src/provisioner/image/disk-room.ts";
import type { CloudImageEntry } from "../../src/provisioner/pins/manifest.ts";
import type { DiskNeed } from "../../src/provisioner/spec/image-spec.ts";
import { trixie } from "../support/bases.ts";

const where = { file: "specs/nvidia.yaml", line: 3, column: 16 };
const GIB = 1024 ** 3;

/** What is needed, as a spec would say it. */
function room(sizeGiB: number, needs: Partial<Record<DiskNeed["part"], number>>) {
  return {
    base: "debian-13",
    sizeGiB,
    needs: (["root", "state"] as const).flatMap((part) => {
      const gib = needs[part];
      return gib === undefined ? [] : [{ part, gib, where }];
    }),
  };
}

function thrownBy(work: () => void): unknown {
  try {
    work();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe("the room on a base of our own layout", () => {
  it.each([
    [8, {}],
    [8, { root: 6, state: 2 }],
    // Its default layout ends behind 8 GiB, so that the disk is one of 9.
    [4, { state: 2 }],
    [20, { state: 13 }],
  ])("is enough: a disk of %d GiB for %j", (sizeGiB, needs) => {
    expect(thrownBy(() => checkRoom(trixie, room(sizeGiB, needs)))).toBeUndefined();
  });

  it("says that root is too small, where that is asked for, and what to change", () => {
    expect(thrownBy(() => checkRoom(trixie, room(40, { root: 8 })))).toMatchObject({
      code: "DISK_TOO_SMALL",
      exitCode: 2,
      where,
      message: "Cannot build on debian-13: the root file system must have 8 GiB, has 6.0 GiB",
      mend: 'Set `disk: { rootGiB: 8, stateGiB: 2 }` of the base "debian-13" in versions.yaml: root cannot grow later',
    });
  });

  it("counts what the base says of its own layout", () => {
    const large = { ...trixie, disk: { rootGiB: 12, stateGiB: 4 } };

    expect(thrownBy(() => checkRoom(large, room(8, { root: 12, state: 4 })))).toBeUndefined();
    expect(thrownBy(() => checkRoom(large, room(17, { state: 5 })))).toMatchObject({
      facts: { neededGiB: 5, hasGiB: "4.9" },
      mend: "Set `disk: { sizeGiB: 18 }` in the spec: state gets what root leaves",
    });
  });

  it("names a size that is enough", () => {
    const error = thrownBy(() => checkRoom(trixie, room(8, { state: 7 })));
    const [, size] = /sizeGiB: (\d+)/.exec((error as { mend: string }).mend) ?? [];

    expect(thrownBy(() => checkRoom(trixie, room(Number(size), { state: 7 })))).toBeUndefined();
    expect(thrownBy(() => checkRoom(trixie, room(Number(size) - 1, { state: 7 })))).toBeDefined();
  });
});

describe("the room on a vendor's disk", () => {
  const cloud: CloudImageEntry = {
    kind: "cloud-image",
    distribution: "ubuntu-24.04",
    architecture: "amd64",
    version: "1",
    url: "https://cloud.example/1.img",
    sha256: "a".repeat(64),
  };

  it("cannot be known before the disk is here", () => {
    expect(thrownBy(() => checkRoom(cloud, room(8, { root: 100 })))).toBeUndefined();
  });

  it.each([
    [8, 3.5 * GIB, { root: 6, state: 2 }],
    [4, 10 * GIB, { root: 10 }],
    [4, GIB, {}],
  ])("is enough: %d GiB wanted, %d bytes there, for %j", (sizeGiB, bytes, needs) => {
    expect(thrownBy(() => checkVendorRoom(bytes, room(sizeGiB, needs)))).toBeUndefined();
  });

  it("is one for root and state together", () => {
    expect(thrownBy(() => checkVendorRoom(3.5 * GIB, room(8, { root: 6, state: 3 })))).toMatchObject({
      code: "DISK_TOO_SMALL",
      where,
      message: "Cannot build on debian-13: the disk must have 9 GiB, has 8.0 GiB",
      mend: "Set `disk: { sizeGiB: 9 }` in the spec: the file system grows to it",
    });
  });
});
