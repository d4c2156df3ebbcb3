import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

import type { Run } from "../core/run.ts";
import { findKnown, parsePublicKey } from "../host/known-hosts.ts";
import { holdLock } from "../local/lock.ts";
import { isMissing } from "../spec/read-spec-files.ts";

/** Writes a host's key, `type blob`, into a known_hosts file, in place of every other key of that name. */
export function rememberHost(file: string, name: string, key: string, run: Run): Promise<void> {
  const [type, blob] = key.trim().split(/\s+/);
  if (parsePublicKey(key) === undefined) throw new Error(`The key of ${name} is no public key: ${key}`);
  const line = `${name} ${type} ${blob}`;
  return edit(file, run, (lines) => {
    if (lines.includes(line) && others(lines, name).length === lines.length - 1) return lines;
    return [...others(lines, name), line];
  });
}

/** Takes every key of a name out of a known_hosts file. Idempotent. */
export function forgetHost(file: string, name: string, run: Run): Promise<void> {
  return edit(file, run, (lines) => others(lines, name));
}

/** Whether a known_hosts file has a line that `forgetHost` would take out. */
export async function isRemembered(file: string, name: string): Promise<boolean> {
  const lines = linesOf(await readText(file));
  return others(lines, name).join("\n") !== lines.join("\n");
}

type Edit = (lines: readonly string[]) => readonly string[];

/** Those of this process queue up here: the lock is asked for only every so often. */
let last: Promise<unknown> = Promise.resolve();

function edit(file: string, run: Run, change: Edit): Promise<void> {
  const turn = last.then(() => editAlone(file, run, change));
  last = turn.catch(() => {});
  return turn;
}

/** One at a time, and whole or not at all: whoever reads it never sees half of it. */
async function editAlone(file: string, run: Run, change: Edit): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  // Held for some milliseconds: nobody wants to be told of that.
  await using _lock = await holdLock(file, "the known host keys", { ...run, note: () => {} });
  const before = await readText(file);
  const lines = linesOf(before);
  const changed = change(lines);
  if (changed.join("\n") === lines.join("\n")) return;
  const partial = `${file}.partial`;
  await rm(partial, { force: true });
  {
    await using written = await open(partial, "wx", 0o600);
    await written.writeFile(changed.map((line) => `${line}\n`).join(""), "latin1");
    await written.sync();
  }
  await rename(partial, file);
}

/** As bytes: what others wrote into it need not be UTF-8, and stays as it is. */
async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "latin1");
  } catch (error) {
    if (isMissing(error)) return "";
    throw error;
  }
}

function linesOf(text: string): readonly string[] {
  const lines = text.split("\n");
  return lines.at(-1) === "" ? lines.slice(0, -1) : lines;
}

function others(lines: readonly string[], name: string): readonly string[] {
  return lines.flatMap((line) => without(line, name));
}

/** A line without a name; none when it spoke for nobody else. Patterns and lines with a marker are somebody's wish. */
function without(line: string, name: string): readonly string[] {
  const [, before = "", names = "", after = ""] = /^(\s*)([^\s#@]\S*)(\s.*)?$/.exec(line) ?? [];
  if (names.startsWith("|1|")) return findKnown(line, name).keys.length > 0 ? [] : [line];
  const all = names.split(",");
  const rest = all.filter((one) => one.toLowerCase() !== name.toLowerCase());
  if (rest.length === all.length) return [line];
  return rest.length === 0 ? [] : [`${before}${rest.join(",")}${after}`];
}
