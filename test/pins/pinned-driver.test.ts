import { expect, it } from "vitest";

import { Refusal } from "../../src/provisioner/core/task.ts";
import type { Manifest } from "../../src/provisioner/pins/manifest.ts";
import { pinnedDriver } from "../../src/provisioner/pins/pinned-driver.ts";
import { someDriver } from "../support/some-driver.ts";

it("gives a driver with what each distribution gets of it", () => {
  const { pins } = someDriver("nvidia");
  const drivers = { nvidia: pins } as unknown as NonNullable<Manifest["drivers"]>;

  expect(pinnedDriver("nvidia", { drivers })).toEqual({ name: "nvidia", pins });
});

it.each(["nvida", "toString"])("refuses %j, which is none", (name) => {
  expect(() => pinnedDriver(name, {})).toThrow(Refusal);
  expect(() => pinnedDriver(name, {})).toThrow(/add it under drivers in versions\.yaml/);
});
