import { existsSync, statSync } from "node:fs";
import { join } from "node:path";

import { oneOf } from "./error-words.ts";

/** Says what is wrong with a text of some format ("must be …, is …"), or nothing. */
export type Format = (value: string) => string | undefined;

/** What the caller knows about texts whose schema has a `format`: which templates, sources and bases there are. */
export type Formats = Readonly<Record<string, Format>>;

/** A text that must be one of a few names. */
export function nameFormat(known: readonly string[]): Format {
  return (value) =>
    known.includes(value) ? undefined : `${oneOf(known, value)}, is ${JSON.stringify(value)}`;
}

/** A text that must name a file beside the spec. */
export function sourceFormat(directories: readonly string[]): Format {
  return (value) => {
    const found = findSources(directories, value);
    const [first, second] = found;
    if (first === undefined) return `must be a file in ${directories.join(" or ")}, is missing: ${value}`;
    if (second !== undefined) return `must be one file, is two: ${first} and ${second}`;
    return statSync(first).isFile() ? undefined : `must be a regular file, is something else: ${first}`;
  };
}

/** Every file `path` can mean, seen from the folders of a spec's files. */
export function findSources(directories: readonly string[], path: string): readonly string[] {
  return directories.map((directory) => join(directory, path)).filter((file) => existsSync(file));
}
