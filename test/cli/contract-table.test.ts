import { expect, it } from "vitest";

import { contractTable, verdicts } from "../../src/provisioner/cli/contract-table.ts";
import type { Finding } from "../../src/provisioner/image/verify-image.ts";

const findings: readonly Finding[] = [
  { promise: "no-users", what: "no users", moment: "files", against: [] },
  { promise: "root-read-only", what: "root is read-only", moment: "files", against: [] },
  { promise: "root-read-only", what: "root is read-only", moment: "first boot", against: [] },
  { promise: "root-read-only", what: "root is read-only", moment: "reboot 1", against: ["rw"] },
];

it("has a row for each promise and a column for each moment", () => {
  expect(contractTable(findings).split("\n")).toEqual([
    "promise            files  first boot  reboot 1  reboot 2",
    "no users           held   -           -         -",
    "root is read-only  held   held        broken    -",
  ]);
});

it("gives the same to machines, by the promise's id", () => {
  expect(verdicts(findings)).toEqual([
    { promise: "no-users", what: "no users", found: { files: "held" } },
    {
      promise: "root-read-only",
      what: "root is read-only",
      found: { files: "held", "first boot": "held", "reboot 1": "broken" },
    },
  ]);
});
