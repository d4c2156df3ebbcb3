import { expect, it } from "vitest";

import { trialTable } from "../../src/provisioner/cli/trial-table.ts";
import type { TrialResult } from "../../src/provisioner/trial/trial.ts";

const results: readonly TrialResult[] = [
  {
    subject: "file",
    title: "Write a text",
    verdicts: [
      { proof: "empty", outcome: "held", found: "1 to change", ms: 1 },
      { proof: "check", outcome: "held", found: "1 to change", ms: 1 },
      { proof: "apply", outcome: "held", found: "1 changed", ms: 1 },
      { proof: "again", outcome: "held", found: "0 changes", ms: 1 },
      { proof: "drift", outcome: "held", found: "removed: mended", ms: 1 },
    ],
    ms: 8000,
  },
  {
    subject: "note",
    title: "Restless",
    verdicts: [
      { proof: "empty", outcome: "held", found: "1 to change", ms: 1 },
      { proof: "check", outcome: "broken", found: "must be 1, is 2", mend: "Look", ms: 1 },
    ],
    ms: 1000,
  },
  { subject: "tools", title: "Install", verdicts: [], skipped: "cannot be reached\nby far", ms: 0 },
];

it("shows a row for each trial, then what is broken with its mend, then the totals", () => {
  expect(trialTable(results, "TASK").split("\n")).toEqual([
    "TASK   TRIED         EMPTY        CHECK        APPLY      AGAIN      DRIFT            TIME",
    "file   Write a text  1 to change  1 to change  1 changed  0 changes  removed: mended  8.0 s",
    "note   Restless      1 to change  BROKEN       -          -          -                1.0 s",
    "tools  Install       -            -            -          -          -                0.0 s  skipped: cannot be reached by far",
    "",
    "note: Restless: check",
    "  must be 1, is 2",
    "  mend: Look",
    "",
    "1 trial proved, 1 broken, 1 skipped",
  ]);
});
