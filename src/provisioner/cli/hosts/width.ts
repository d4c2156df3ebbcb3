import { ProvisionError } from "../../core/errors.ts";

/** How many hosts are worked on at one time when nobody says it. */
export const usualWidth = 4;
const widest = 64;

/** `--parallel`, as those commands declare it. */
export const parallelOption = [
  "--parallel <n>",
  `how many hosts are worked on at one time (default: ${usualWidth})`,
] as const;

/** What --parallel says. */
export function readWidth(text: string = String(usualWidth)): number {
  const width = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (width >= 1 && width <= widest) return width;
  throw new ProvisionError("USAGE", {
    what: `Cannot accept --parallel: must be a number from 1 to ${widest}, is "${text}"`,
    mend: "Give a number, as in --parallel 4",
  });
}
