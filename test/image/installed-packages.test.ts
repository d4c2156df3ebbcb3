import { expect, it } from "vitest";

import { readPackages } from "../../src/provisioner/image/installed-packages.ts";
import { emptyMachine } from "../support/fake-host.ts";

const lines = [
  "zstd\t1.5\tamd64\tinstalled",
  "libc6\t2.41-12\ti386\tinstalled",
  "Zeta\t1\tall\tinstalled",
  "gone\t1\tamd64\tconfig-files",
  "libc6\t2.41-12\tamd64\tinstalled",
];

it.each([[lines], [lines.toReversed()]])("is in one order, whatever dpkg's: %#", async (order) => {
  const host = emptyMachine();
  host.program("dpkg-query", () => ({ stdout: `${order.join("\n")}\n` }));

  const packages = await readPackages(host);

  expect(packages.map(({ name, architecture }) => `${name}:${architecture}`)).toEqual([
    "Zeta:all",
    "libc6:amd64",
    "libc6:i386",
    "zstd:amd64",
  ]);
});
