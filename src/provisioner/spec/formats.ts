import { existsSync, statSync } from "node:fs";
import { join } from "node:path";

import { nearestName } from "./nearest-name.ts";
import { orList } from "./show-value.ts";

/** Says what is wrong with a text of some format ("must be …, is …"), or nothing. */
export type Format = (value: string) => string | undefined;

/** What the caller knows about texts whose schema has a `format`: which templates, sources and bases there are. */
export type Formats = Readonly<Record<string, Format>>;

/** A text that must be the name of something: `must be a template ("motd" or "resolv"), is "mtod"`. */
export function nameFormat(thing: string, known: readonly string[]): Format {
  return (value) => {
    if (known.includes(value)) return undefined;
    const nearest = nearestName(value, known);
    const names = orList(known.map((name) => JSON.stringify(name)));
    const hint = nearest === undefined ? names || "there is none" : `nearest: ${JSON.stringify(nearest)}`;
    return `must be a ${thing} (${hint}), is ${JSON.stringify(value)}`;
  };
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
