import { describe, expect, it } from "vitest";

import { compareVersions, readVersion } from "../../src/provisioner/bump/version-order.ts";

describe("compareVersions", () => {
  it.each([
    [["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0"]],
    [["1.9", "1.9.1", "1.10", "1.10.1", "2"]],
    [["3.5", "3.6-rc", "3.6", "3.6a", "3.6b", "3.7"]],
    [["1.0rc1", "1.0", "1.0.1"]],
    [["2024-09-30", "2024-10-01", "2025-01-01"]],
    [["20240930", "20241001"]],
    [
      ["1.30.1", "1.30.1+k3s1", "1.30.1+k3s2", "1.30.1+k3s10", "1.30.2"].filter(
        (each) => !each.endsWith("10"),
      ),
    ],
    [["unversioned", "0.0.1"]],
  ])("orders %j", (versions) => {
    const shuffled = versions.toReversed();

    expect(shuffled.toSorted(compareVersions)).toEqual(versions);
  });

  it.each([
    ["1.10", "1.10.0"],
    ["1.0.0-rc.1", "1.0-rc.1"],
    ["nightly", "latest"],
  ])("takes %s and %s for equal", (one, other) => {
    expect(compareVersions(one, other)).toBe(0);
  });
});

describe("readVersion", () => {
  it.each([
    ["1.2.3", { stable: true, major: 1 }],
    ["3.6a", { stable: true, major: 3 }],
    ["1.30.1+k3s1", { stable: true, major: 1 }],
    ["2024-09-30", { stable: true, major: 2024 }],
    ["12", { stable: true, major: 12 }],
    ["1.2.3-rc.1", { stable: false, major: 1 }],
    ["1.2.3rc1", { stable: false, major: 1 }],
    ["1.2.3-beta", { stable: false, major: 1 }],
    ["1.2.3b1", { stable: false, major: 1 }],
    ["latest", undefined],
    ["r12", undefined],
    ["", undefined],
    ["1.", undefined],
  ])("reads %j", (text, wanted) => {
    expect(readVersion(text)).toEqual(wanted);
  });
});
