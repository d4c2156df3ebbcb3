import { isBroken, proofs, proofWords, type TrialResult } from "../trial/trial.ts";

/** The results as JUnit's XML, which CI servers read: a suite for each task or spec, a case for each proof. */
export function junitXml(results: readonly TrialResult[]): string {
  const subjects = [...new Set(results.map(({ subject }) => subject))];
  const suites = subjects.map((subject) =>
    suite(
      subject,
      results.filter((result) => result.subject === subject),
    ),
  );
  return ['<?xml version="1.0" encoding="UTF-8"?>', "<testsuites>", ...suites, "</testsuites>", ""].join(
    "\n",
  );
}

function suite(subject: string, results: readonly TrialResult[]): string {
  const cases = results.flatMap((result) => casesOf(result));
  const failures = results.filter(isBroken).length;
  const skipped = cases.filter((text) => text.includes("<skipped")).length;
  const seconds = secondsOf(results.reduce((sum, { ms }) => sum + ms, 0));
  const counts = `tests="${cases.length}" failures="${failures}" errors="0" skipped="${skipped}"`;
  return [
    `  <testsuite name="${escape(subject)}" ${counts} time="${seconds}">`,
    ...cases,
    "  </testsuite>",
  ].join("\n");
}

function casesOf(result: TrialResult): readonly string[] {
  const { subject, title, verdicts } = result;
  return proofs.map((proof) => {
    const verdict = verdicts.find((each) => each.proof === proof);
    const name = escape(`${title}: ${proofWords[proof]}`);
    const open = `    <testcase classname="${escape(subject)}" name="${name}" time="${secondsOf(verdict?.ms ?? 0)}"`;
    const inner = innerOf(result, verdict);
    return inner === undefined ? `${open}/>` : `${open}>${inner}</testcase>`;
  });
}

function innerOf(
  { skipped }: TrialResult,
  verdict: TrialResult["verdicts"][number] | undefined,
): string | undefined {
  if (verdict === undefined) return `<skipped message="${escape(skipped ?? "an earlier proof is broken")}"/>`;
  if (verdict.outcome === "held") return undefined;
  const { found, mend = "" } = verdict;
  return `<failure message="${escape(found)}">mend: ${escape(mend)}</failure>`;
}

function secondsOf(ms: number): string {
  return (ms / 1000).toFixed(3);
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\n": "&#10;",
};

/** XML 1.0 has no way to write most control characters: what a machine printed may hold them. */
function escape(text: string): string {
  return text
    .replaceAll(/[^\P{Cc}\t\n\r]|[\uFFFE\uFFFF]/gu, "\uFFFD")
    .replaceAll(/[&<>"\n]/g, (character) => entities[character] ?? character);
}
