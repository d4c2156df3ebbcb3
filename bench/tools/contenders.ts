import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { time, type Timed } from "../contenders.ts";
import type { Archive } from "./archives.ts";

/** Where one run installs to; fresh for each. */
export interface Site {
  /** The project: its versions.yaml. */
  readonly home: string;
  readonly cache: string;
  readonly prefix: string;
}

/** What the peers are: a line of shell for one archive, `$1` its URL, `$2` the folder, `$3` its digest. */
export const peers = {
  "curl | tar": 'curl -fsS "$1" | tar -xzf - -C "$2"',
  "curl, sha256sum -c, tar":
    'f="$2/${1##*/}"; curl -fsS -o "$f" "$1" && echo "$3  $f" | sha256sum --status -c && tar -xzf "$f" -C "$2" && rm "$f"',
} as const;

/** How many a peer has in flight. */
export const widths = [4, 20] as const;

/** Runs a line of shell for each archive, so many at once, largest first as is best for it. */
export function byShell(
  line: string,
  options: { readonly archives: readonly Archive[]; readonly server: string; readonly width: number },
  folder: string,
): Promise<Timed> {
  const { archives, server, width } = options;
  const sorted = archives.toSorted((one, other) => other.bytes - one.bytes);
  const input = sorted.map(({ file, tool, sha256 }) => `${server}/${file} ${join(folder, tool)} ${sha256}\n`);
  return time(
    ["xargs", `-P${width}`, "-n3", "bash", "-c", `set -e -o pipefail; mkdir -p "$2"; ${line}`, "one"],
    {
      input: input.join(""),
    },
  );
}

/** Runs a program of the project for a site; `before` goes to Node. */
export function byCli(
  root: string,
  site: Site,
  args: readonly string[],
  options: { readonly before?: readonly string[]; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Timed> {
  const argv = [...(options.before ?? []), join(root, "dist/provisioner/main.js"), ...args];
  return time([process.execPath, ...argv], { env: { ...environmentOf(site), ...options.env } });
}

/** Nothing of the user's own. */
export function environmentOf({ home, cache }: Site): NodeJS.ProcessEnv {
  const { PATH, LANG } = process.env;
  return {
    PATH,
    ...(LANG !== undefined && { LANG }),
    HOME: home,
    PROVISION_HOME: home,
    PROVISION_CACHE: cache,
  };
}

/** Writes versions.yaml for these archives. */
export async function writePins(home: string, archives: readonly Archive[], server: string): Promise<void> {
  const entries = archives.map(({ tool, file, sha256, isTree }) =>
    [
      `  ${tool}:`,
      '    version: "1.0"',
      `    url: ${server}/${file}`,
      `    sha256: { x86_64: ${sha256}, aarch64: ${sha256} }`,
      ...(isTree
        ? ["    extract_to: ~/.local"]
        : [`    binary: ${tool}-1.0/${tool}`, `    extra: [{ from: ${tool}-1.0/${tool}.1, to: man1 }]`]),
    ].join("\n"),
  );
  await writeFile(join(home, "versions.yaml"), `bases: {}\ntools:\n${entries.join("\n")}\n`);
}

/** What a run did that costs: sockets, programs, processes; undefined where there is no strace. */
export async function traced(root: string, site: Site, args: readonly string[]): Promise<Calls | undefined> {
  if (!existsSync("/usr/bin/strace")) return undefined;
  const file = join(site.home, "strace");
  const calls = "trace=execve,execveat,fork,vfork,clone,clone3,socket,socketpair,connect";
  const strace = ["strace", "-f", "-qq", "-e", calls, "-o", file] as const;
  const main = join(root, "dist/provisioner/main.js");
  await time([...strace, process.execPath, main, ...args], { env: environmentOf(site) });
  const lines = (await readFile(file, "utf8")).split("\n");
  const count = (pattern: RegExp) => lines.filter((line) => pattern.test(line)).length;
  return {
    sockets: count(/\b(socket|socketpair|connect)\(/),
    // The first is Node itself.
    programs: count(/\bexecve(at)?\(/) - 1,
    processes: count(/\bv?fork\(/) + lines.filter(isProcess).length,
  };
}

/** What a run did that costs. */
export interface Calls {
  readonly sockets: number;
  readonly programs: number;
  /** Threads left out. */
  readonly processes: number;
}

function isProcess(line: string): boolean {
  return /\bclone3?\(/.test(line) && !line.includes("CLONE_THREAD");
}
