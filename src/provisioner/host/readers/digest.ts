import type { FactAnswer } from "../../core/facts.ts";
import { whyNoPath } from "../orders/remote-path.ts";
import { findPaths, isStoredFile, unprinted, unlessStored } from "./find-paths.ts";
import { lines, usual, whyFailed, type Reader } from "./reader.ts";

/** Digests, by one find that starts one sha256sum: find says of each path what it is, and opens no pipe. */
export const digest: Reader = {
  kind: "digest",
  ...usual,
  limitMs: 300_000,
  refuse: whyNoPath,
  script: (paths) =>
    findPaths(paths, true, `-printf '%p\\0%y\\0%F\\0' ${isStoredFile} -exec sha256sum -z {} +`),

  parse(section, paths) {
    const known = new Map<string, FactAnswer>();
    const lost: FactAnswer = { unknown: whyFailed(section, [0, 1]) ?? complaint(section.stderr) };
    const fields = section.stdout.toString().split("\0");
    for (let at = 0; at < fields.length - 1; at++) {
      const field = fields[at] ?? "";
      if (!field.startsWith("/")) {
        known.set(field.slice(66), { value: field.slice(0, 64) });
        continue;
      }
      const answer = unlessStored(fields[++at] ?? "", fields[++at] ?? "");
      known.set(field, answer ?? lost);
    }
    const others = unprinted(
      section,
      paths.filter((path) => !known.has(path)),
    );
    return paths.map((path) => known.get(path) ?? others.get(path) ?? lost);
  },
};

function complaint(stderr: string): string {
  return lines(stderr).find((line) => line.startsWith("sha256sum: ")) ?? "sha256sum did not print it";
}
