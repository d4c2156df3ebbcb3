import type { FactAnswer, FactRequest } from "../core/facts.ts";
import type { MountEntry, Output } from "../core/task.ts";
import { record } from "./maintenance-script.ts";

/** How the root of a machine stands. */
export type RootState =
  /** Nothing to open: fstab has it writable. */
  | { readonly kind: "writable-by-fstab"; readonly found: string }
  | { readonly kind: "closed" }
  /** Writable for now; who opened it and for how long is known where `maintain` did. */
  | { readonly kind: "open"; readonly owner: string | undefined; readonly secondsLeft: number | undefined };

/** What has to be asked to know it. */
export const rootQuestions = [
  { kind: "mount", about: "/" },
  { kind: "file", about: "/etc/fstab" },
  { kind: "file", about: record },
  { kind: "query", about: { argv: ["date", "+%s"] } },
] as const satisfies readonly FactRequest[];

/** Reads the answers, in the order of the questions; gives the reason when one cannot be known. */
export function readRootState(answers: readonly FactAnswer[]): RootState | { readonly unknown: string } {
  const lacking = answers.find((answer): answer is { unknown: string } => "unknown" in answer);
  if (lacking) return lacking;
  const [mount, fstab, window, clock] = answers.map((answer) =>
    "value" in answer ? answer.value : undefined,
  );
  const wanted = rootOptions((fstab as string | undefined) ?? "");
  if (!wanted.includes("ro")) {
    return { kind: "writable-by-fstab", found: wanted.length === 0 ? "not in it" : wanted.join(",") };
  }
  if (isReadOnly(mount as MountEntry | undefined)) return { kind: "closed" };
  const [owner, until] = ((window as string | undefined) ?? "").split("\n");
  const now = Number((clock as Output | undefined)?.stdout.trim());
  return owner
    ? { kind: "open", owner, secondsLeft: Number(until) - now }
    : { kind: "open", owner: undefined, secondsLeft: undefined };
}

/** The mount and its file system each have the option: only both together keep everybody from writing. */
function isReadOnly(root: MountEntry | undefined): boolean {
  return root?.options.includes("ro") === true && !root.options.includes("rw");
}

/** The options of "/" in a text of fstab. */
function rootOptions(fstab: string): readonly string[] {
  const fields = fstab
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .find(([first = "", mountPoint]) => !first.startsWith("#") && mountPoint === "/");
  return fields?.[3]?.split(",") ?? [];
}

/** The state in words, for people. */
export function rootWords(state: RootState): string {
  switch (state.kind) {
    case "closed":
      return "root is read-only, no window is open";
    case "open":
      return `a maintenance window is open, ${windowWords(state)}`;
    case "writable-by-fstab":
      return `root is writable by /etc/fstab (${state.found}), there is no window to open`;
    default:
      return state satisfies never;
  }
}

/** `by alice@desk, process 7, for 12 more minutes`. */
export function windowWords({ owner, secondsLeft }: Extract<RootState, { kind: "open" }>): string {
  if (owner === undefined || secondsLeft === undefined) return "by hand: nothing closes it by itself";
  if (secondsLeft <= 0) return `by ${owner}: its time is over, and it closes once nothing keeps root busy`;
  return `by ${owner}, for ${minutes(secondsLeft)} more`;
}

/** Rounded up: nobody is told that nothing is left. */
function minutes(seconds: number): string {
  const count = Math.ceil(seconds / 60);
  return `${count} ${count === 1 ? "minute" : "minutes"}`;
}
