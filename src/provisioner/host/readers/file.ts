import type { FactAnswer } from "../../core/facts.ts";
import { whyNoPath } from "../orders/remote-path.ts";
import { findPaths, isStoredFile, unprinted, unlessStored } from "./find-paths.ts";
import { lines, usual, whyFailed, type Reader, type Section } from "./reader.ts";

/** Longer files are not read as text. */
const longest = 1024 * 1024;

const record = ["%p", "%y", "%s", "%F"];

/**
 * Contents, by one find that prints the sizes and starts one cat; it empties its buffer before it does. First
 * cat prints an empty field, which parts the sizes from the contents. The stream is cut by the sizes: where
 * one file changed in between, nothing is known of any.
 */
export const file: Reader = {
  kind: "file",
  ...usual,
  refuse: whyNoPath,

  script: (paths) => {
    const readable = `${isStoredFile} -size +0 -size -${longest + 1}c`;
    const tail = `-printf '${record.join("\\0")}\\0' ${readable} -exec cat "$d/border" {} +`;
    return `printf '\\0' >"$d/border"\n${findPaths(paths, true, tail)}`;
  },

  parse(section, paths) {
    const { sizes, answers, start } = takeRecords(section.stdout);
    const texts = cut(section, start, sizes);
    const others = unprinted(
      section,
      paths.filter((path) => !sizes.has(path) && !answers.has(path)),
    );
    return paths.map(
      (path) => answers.get(path) ?? others.get(path) ?? texts.get(path) ?? { unknown: "changed while read" },
    );
  },
};

interface Records {
  /** What cat was asked for, in its order. */
  readonly sizes: Map<string, number>;
  /** What the record alone answers. */
  readonly answers: Map<string, FactAnswer>;
  /** Where the contents begin. */
  readonly start: number;
}

function takeRecords(stdout: Buffer): Records {
  const sizes = new Map<string, number>();
  const answers = new Map<string, FactAnswer>();
  let at = 0;
  const field = (): string => {
    const end = stdout.indexOf(0, at);
    if (end === -1) return "";
    const text = stdout.toString("utf8", at, end);
    at = end + 1;
    return text;
  };
  // A path is never empty: an empty field is the border, or the end.
  for (let path = field(); path !== ""; path = field()) {
    const [type, size, fileSystem] = [field(), Number(field()), field()];
    const answer = unlessStored(type, fileSystem);
    if (answer) answers.set(path, answer);
    else if (size > longest)
      answers.set(path, { unknown: `truncated: is ${size} bytes, at most ${longest} are read` });
    else if (size === 0) answers.set(path, { value: "" });
    else sizes.set(path, size);
  }
  return { sizes, answers, start: at };
}

/** Cuts what cat printed by the sizes; what it could not open is left out of it. */
function cut(section: Section, start: number, sizes: ReadonlyMap<string, number>): Map<string, FactAnswer> {
  const complaints = new Map(
    lines(section.stderr).flatMap((line): [string, string][] => {
      const found = /^cat: (.+): (.+)$/.exec(line);
      return found ? [[found[1] ?? "", found[2] ?? ""]] : [];
    }),
  );
  const opened = [...sizes].filter(([path]) => !complaints.has(path));
  const sum = opened.reduce((total, [, size]) => total + size, 0);
  const failed = whyFailed(section, [0, 1]);
  const answers = new Map<string, FactAnswer>();
  for (const [path] of sizes) {
    const complaint = complaints.get(path);
    if (complaint !== undefined) answers.set(path, { unknown: complaint });
    else if (failed) answers.set(path, { unknown: failed });
  }
  if (section.late || section.size - start !== sum) return answers;
  let at = start;
  for (const [path, size] of opened) {
    const bytes = section.stdout.subarray(at, at + size);
    if (bytes.length === size) answers.set(path, decode(bytes));
    at += size;
  }
  return answers;
}

function decode(bytes: Buffer): FactAnswer {
  try {
    return { value: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { unknown: "is not UTF-8 text" };
  }
}
