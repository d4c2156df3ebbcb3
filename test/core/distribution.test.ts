import { describe, expect, it } from "vitest";

import {
  appliesTo,
  canBothApply,
  distributionNamed,
  distributionNames,
  knownReleases,
  osReleaseOf,
  osReleasePath,
  readDistribution,
} from "../../src/provisioner/core/distribution.ts";
import { emptyHost } from "../../src/provisioner/core/empty-host.ts";
import { osReleases } from "../support/os-releases.ts";

describe("readDistribution", () => {
  it.each([
    ["debian-12", { id: "debian", version: "12", codename: "bookworm" }],
    ["debian-13", { id: "debian", version: "13", codename: "trixie" }],
    ["ubuntu-24.04", { id: "ubuntu", version: "24.04", codename: "noble" }],
  ] as const)("reads what %s says of itself", (name, parts) => {
    expect(readDistribution(osReleases[name])).toEqual({ ...parts, name });
  });

  it("takes values in every way of quoting, and the last of two", () => {
    const text = "# a comment\nID='old'\n  ID=\"de\\\"b\\$ian\" \nVERSION_ID='7'\nNAME=ID=x\n";

    expect(readDistribution(text)).toEqual({
      id: 'de"b$ian',
      version: "7",
      codename: undefined,
      name: 'de"b$ian-7',
    });
  });

  it("has no version for a release that has no number yet", () => {
    expect(readDistribution("ID=debian\nVERSION_CODENAME=forky\n")).toEqual({
      id: "debian",
      version: undefined,
      codename: "forky",
      name: "debian",
    });
  });

  it.each(["", "NAME=x\n", "ID=\n", "id=debian\n"])("cannot tell from %j", (text) => {
    expect(readDistribution(text)).toBeUndefined();
  });

  it.each(distributionNames)("reads back what a machine named %s says at least", (name) => {
    expect(readDistribution(osReleaseOf(name))).toMatchObject(distributionNamed(name));
  });

  it.each(knownReleases)(
    "tells the empty machine of %s its codename, which repositories go by",
    async (name) => {
      const facts = [{ kind: "file", about: osReleasePath } as const];

      const { answers } = await emptyHost(name).fly({ orders: [], facts });

      const [answer] = answers;
      const text = answer && "value" in answer ? String(answer.value) : "";
      expect(readDistribution(text)?.codename).toBe(readDistribution(osReleases[name])?.codename);
    },
  );
});

describe("appliesTo", () => {
  it.each([
    [undefined, "debian-13", true],
    [["debian-13"], "debian-13", true],
    [["debian"], "debian-13", true],
    [["debian-12", "ubuntu-24.04"], "debian-13", false],
    [["debian-1"], "debian-13", false],
    [["ubuntu"], "debian-13", false],
    [["debian-13"], "debian", false],
  ])("%j on %s: %s", (distribution, name, expected) => {
    expect(appliesTo(distribution && { distribution }, distributionNamed(name))).toBe(expected);
  });
});

describe("canBothApply", () => {
  it.each([
    [undefined, undefined, true],
    [undefined, ["debian"], true],
    [["debian-13"], ["debian-13", "ubuntu"], true],
    [["debian"], ["debian-12"], true],
    [["debian-12"], ["debian-13"], false],
    [["debian"], ["ubuntu"], false],
    [["debian-1"], ["debian-13"], false],
  ])("%j and %j: %s, both ways", (one, other, expected) => {
    const whens = [one && { distribution: one }, other && { distribution: other }] as const;

    expect(canBothApply(whens[0], whens[1])).toBe(expected);
    expect(canBothApply(whens[1], whens[0])).toBe(expected);
  });
});
