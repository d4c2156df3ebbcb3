import { readFileSync, readlinkSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";

import type { WarmState, WarmTool } from "../../tools/warm-state.ts";
import { packageVersion } from "../package-version.ts";
import { findProject } from "../project.ts";
import { asWantedData, asWantedText, commandWords, planOf, prefixRoot, type AsWanted } from "./words.ts";

/** The process, as much of it as is looked at. */
export interface WarmProcess {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** In Node's words. */
  readonly arch: string;
}

const architectures: Readonly<Record<string, string>> = { x64: "x86_64", arm64: "aarch64" };

/**
 * `install` with nothing to do, the shortest way: a file of what was as wanted last time, and a look at each link and
 * program in it. Says the same as the whole command would and gives true; gives false when anything at all is
 * different, and has changed nothing.
 */
export function warmInstall(
  given: WarmProcess,
  write: (text: string) => void = (text) => writeSync(1, text),
): boolean {
  try {
    const started = Date.now();
    const words = readWords(given.args);
    const found = words && findAsWanted(words, given);
    if (!found) return false;
    const text = words.json ? jsonText(words.names, found, started) : `${asWantedText(found)}\n`;
    write(text);
    return true;
  } catch {
    // No such file, a broken link, a reader that went away: the long way says what there is to say.
    return false;
  }
}

interface Words {
  readonly names: readonly string[];
  readonly json: boolean;
  readonly system: boolean;
  readonly prefix?: string;
}

/** Flags that change nothing about there being nothing to do. */
const idle = new Set(["--yes", "--offline", "--no-color"]);

/** Reads the simple command lines; nothing for any other. */
function readWords(args: readonly string[]): Words | undefined {
  const plain: string[] = [];
  let words = { json: false, system: false } as { json: boolean; system: boolean; prefix?: string };
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? "";
    const prefix = arg === "--prefix" ? args[++index] : /^--prefix=(.*)$/.exec(arg)?.[1];
    if (prefix !== undefined && prefix !== "" && !prefix.startsWith("-")) words = { ...words, prefix };
    else if (arg === "--json") words = { ...words, json: true };
    else if (arg === "--system") words = { ...words, system: true };
    else if (/^[a-z0-9][a-z0-9._+-]*$/.test(arg)) plain.push(arg);
    else if (!idle.has(arg)) return undefined;
  }
  const [command, ...names] = plain;
  return command === "install" ? { ...words, names: [...new Set(names)] } : undefined;
}

function findAsWanted(words: Words, { env, cwd, arch }: WarmProcess): AsWanted | undefined {
  const { HOME: home = "" } = env;
  const architecture = architectures[arch];
  if (!home.startsWith("/") || architecture === undefined) return undefined;
  const root = prefixRoot(words, { cwd, home });
  const state = JSON.parse(readFileSync(join(root, "share/provision/state.json"), "utf8")) as WarmState;
  const versions = readFileSync(findProject({ env, cwd }).versionsFile);
  const plan = planOf({ versions, architecture, provision: packageVersion(), root });
  if (state.schema !== 1 || state.plan !== plan) return undefined;
  const scope = state.scopes[words.system ? "system" : "user"];
  const isAll = words.names.length === 0;
  const names = isAll ? scope.names : words.names;
  const tools = names.map((name) => ({ name, known: scope.names.includes(name), tool: state.tools[name] }));
  if (!tools.every(({ known, tool }) => known && tool !== undefined && isAsItWas(root, tool)))
    return undefined;
  return {
    prefix: root,
    tools: tools.map(({ name, tool }) => ({ name, version: tool?.version ?? "" })),
    skipped: isAll ? scope.skipped : [],
  };
}

function isAsItWas(root: string, { links, files }: WarmTool): boolean {
  return (
    links.every(([path, target]) => readlinkSync(`${root}/${path}`) === target) &&
    files.every(([path, size, mtimeMs, mode]) => {
      const found = statSync(`${root}/${path}`);
      return found.size === size && found.mtimeMs === mtimeMs && found.mode === mode;
    })
  );
}

/** The events that the whole command would report. */
function jsonText(names: readonly string[], found: AsWanted, started: number): string {
  const events = [
    { kind: "run-started", command: commandWords(names) },
    { kind: "result", text: asWantedText(found), data: asWantedData(found) },
    { kind: "run-ended", exitCode: 0, ms: Date.now() - started },
  ];
  return events.map((event) => `${JSON.stringify(event)}\n`).join("");
}
