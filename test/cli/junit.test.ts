import { XMLParser } from "fast-xml-parser";
import { expect, it } from "vitest";

import { junitXml } from "../../src/provisioner/cli/junit.ts";
import type { TrialResult } from "../../src/provisioner/trial/trial.ts";

const held = (proof: "empty" | "check") => ({
  proof,
  outcome: "held" as const,
  found: "1 to change",
  ms: 250,
});
const results: readonly TrialResult[] = [
  {
    subject: "file",
    title: "Write <a> text",
    verdicts: [
      held("empty"),
      held("check"),
      { proof: "apply", outcome: "broken", found: 'must be "a\u001bb"\nis & "c"', mend: "Look", ms: 1500 },
    ],
    ms: 2000,
  },
  { subject: "tools", title: "Install", verdicts: [], skipped: "cannot be reached", ms: 0 },
];

const parsed = () =>
  new XMLParser({ ignoreAttributes: false, attributeNamePrefix: "", htmlEntities: true }).parse(
    junitXml(results),
  ) as {
    testsuites: {
      testsuite: {
        name: string;
        testcase: { name: string; time: string; failure?: object; skipped?: object }[];
      }[];
    };
  };

it("has a suite for each task, with a case for each proof", () => {
  const [file, tools] = parsed().testsuites.testsuite;

  expect(file).toMatchObject({ name: "file", tests: "5", failures: "1", skipped: "2", time: "2.000" });
  expect(file?.testcase[0]).toMatchObject({
    classname: "file",
    name: "Write <a> text: can be planned where there is no machine",
    time: "0.250",
  });
  expect(tools).toMatchObject({ tests: "5", failures: "0", skipped: "5" });
});

it("tells what is broken with what was wanted and the mend, without what XML cannot hold", () => {
  const [file, tools] = parsed().testsuites.testsuite;

  expect(file?.testcase[2]?.failure).toMatchObject({
    message: 'must be "a\uFFFDb"\nis & "c"',
    "#text": "mend: Look",
  });
  expect(file?.testcase[3]?.skipped).toEqual({ message: "an earlier proof is broken" });
  expect(tools?.testcase[0]?.skipped).toEqual({ message: "cannot be reached" });
});
