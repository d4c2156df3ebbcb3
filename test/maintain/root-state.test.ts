import { expect, it } from "vitest";

import type { FactAnswer } from "../../src/provisioner/core/facts.ts";
import { readRootState, rootWords } from "../../src/provisioner/maintain/root-state.ts";

const readOnly = "LABEL=root / ext4 ro,errors=remount-ro 0 1\n";

/** Answers as a machine gives them: how root is mounted, fstab, the record of the window, its clock. */
function answers(options: readonly string[], fstab: string, window?: string): FactAnswer[] {
  return [
    { value: { source: "/dev/vda2", fsType: "ext4", options } },
    { value: fstab },
    { value: window },
    { value: { code: 0, stdout: "1000\n", stderr: "" } },
  ];
}

it.each([
  ["root is read-only, no window is open", answers(["ro", "errors=remount-ro"], readOnly)],
  ["root is read-only, no window is open", answers(["ro"], `# / was /dev/sda\n${readOnly}`, "alice\n2000\n")],
  ["a maintenance window is open, by alice, for 2 minutes more", answers(["rw"], readOnly, "alice\n1061\n")],
  ["a maintenance window is open, by alice, for 1 minute more", answers(["rw"], readOnly, "alice\n1001\n")],
  [
    "a maintenance window is open, by alice: its time is over, and it closes once nothing keeps root busy",
    answers(["rw"], readOnly, "alice\n1000\n"),
  ],
  [
    "a maintenance window is open, by hand: nothing closes it by itself",
    answers(["rw", "errors=remount-ro"], readOnly),
  ],
  // The mount alone, or the file system alone: somebody can still write.
  ["a maintenance window is open, by hand: nothing closes it by itself", answers(["ro", "rw"], readOnly)],
  [
    "root is writable by /etc/fstab (rw,errors=remount-ro), there is no window to open",
    answers(["rw"], "LABEL=root / ext4 rw,errors=remount-ro 0 1\n"),
  ],
  [
    "root is writable by /etc/fstab (not in it), there is no window to open",
    answers(["ro"], "#LABEL=root / ext4 ro 0 1\n"),
  ],
])("reads: %s", (words, given) => {
  const state = readRootState(given);

  expect("unknown" in state ? state.unknown : rootWords(state)).toBe(words);
});

it("gives the reason when something cannot be known", () => {
  const [mount = { value: undefined }, , ...rest] = answers(["ro"], readOnly);

  expect(readRootState([mount, { unknown: "permission denied" }, ...rest])).toEqual({
    unknown: "permission denied",
  });
});
