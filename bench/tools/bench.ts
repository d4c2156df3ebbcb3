import { createHash } from "node:crypto";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { loadavg } from "node:os";
import { join } from "node:path";

import { execa } from "execa";

import { time } from "../contenders.ts";
import { measure, type Samples } from "../measure.ts";
import { type Archive, archivesFolder, makeArchives, smallCount, trees } from "./archives.ts";
import {
  byCli,
  byShell,
  type Calls,
  environmentOf,
  peers,
  type Site,
  traced,
  widths,
  writePins,
} from "./contenders.ts";

/** How the benchmark runs. */
export interface BenchOptions {
  /** The project's folder. */
  readonly root: string;
  /** Where archives are kept from one run to the next. */
  readonly kept: string;
  readonly scratch: string;
  readonly rounds: number;
  readonly coldRounds: number;
  readonly say: (text: string) => void;
}

/** Everything that was measured. */
export interface Results {
  readonly archives: readonly Archive[];
  readonly warm: Samples;
  readonly cold: Samples;
  /** Of one file, the large one. */
  readonly download: Samples;
  readonly calls: Calls | undefined;
  /** MiB, by the tool that was installed. */
  readonly peakMiB: ReadonlyMap<string, number>;
  readonly load: readonly [number, number];
  readonly rounds: number;
  readonly coldRounds: number;
}

/** Measures all of it, one thing after the other. */
export async function bench(options: BenchOptions): Promise<Results> {
  const { kept, rounds, coldRounds, say } = options;
  const before = loadavg()[0] ?? 0;
  const all = await makeArchives(kept, say);
  const archives = all.filter(({ tool }) => tool !== trees.small);
  await using server = await startServer(options.root, archivesFolder(kept));
  const given = { ...options, archives, server: server.url };
  say("memory");
  const peakMiB = await measurePeak({ ...given, archives: all });
  say("one file");
  const download = await measureDownload(given);
  say("cold");
  const cold = await measureCold(given);
  say("warm");
  const { warm, calls } = await measureWarm(given);
  const load = [before, loadavg()[0] ?? 0] as const;
  return { archives, warm, cold, download, calls, peakMiB, load, rounds, coldRounds };
}

interface Given extends BenchOptions {
  readonly archives: readonly Archive[];
  readonly server: string;
}

async function measurePeak(given: Given): Promise<ReadonlyMap<string, number>> {
  const { root, scratch, archives, server } = given;
  const peaks = new Map<string, number>();
  for (const tool of [trees.small, trees.large]) {
    await using site = await freshSite(scratch, archives, server);
    const file = join(site.home, "peak");
    const before = ["--import", join(root, "dist/bench/bench/tools/peak-memory.js")];
    await byCli(root, site, ["install", tool, "--prefix", site.prefix], {
      before,
      env: { PROVISION_BENCH_PEAK: file },
    });
    peaks.set(tool, Number(await readFile(file, "utf8")) / 1024);
  }
  return peaks;
}

async function measureDownload(given: Given): Promise<Samples> {
  const { root, scratch, archives, server, coldRounds, say } = given;
  const large = archives.find(({ tool }) => tool === trees.large);
  if (!large) throw new Error("no large archive");
  const inFresh = (work: (site: Site) => Promise<number>) => async () => {
    await using site = await freshSite(scratch, archives, server);
    await execa("sync");
    return await work(site);
  };
  const url = `${server}/${large.file}`;
  const byCurl = (line: string) =>
    inFresh(async ({ cache }) => {
      await mkdir(cache);
      const file = join(cache, large.file);
      return (await time(["bash", "-ec", line, "curl", url, file, large.sha256])).ms;
    });
  return measure(
    {
      "curl -o": byCurl('curl -fsS -o "$2" "$1"'),
      "curl -o, sha256sum -c": byCurl('curl -fsS -o "$2" "$1"; echo "$3  $2" | sha256sum --status -c'),
      "provision fetch": inFresh(async (site) => (await byCli(root, site, ["fetch", large.tool])).ms),
    },
    coldRounds,
    say,
  );
}

async function measureCold(given: Given): Promise<Samples> {
  const { root, scratch, archives, server, coldRounds, say } = given;
  const digests = new Map<string, string>();
  const installed =
    (name: string, work: (site: Site) => Promise<{ ms: number; cpuMs: number }>) => async () => {
      await using site = await freshSite(scratch, archives, server);
      // What the one before left to be written is not this one's.
      await execa("sync");
      const { ms, cpuMs } = await work(site);
      if (!digests.has(name)) digests.set(name, await digestOfTools(site.prefix, archives));
      if (new Set(digests.values()).size > 1) throw new Error(`${name} did not install what the others did`);
      return { wall: ms, cpu: cpuMs };
    };
  const shells = Object.entries(peers).flatMap(([name, line]) =>
    widths.map((width) => {
      const title = `${name}, ${width} at once`;
      const run = (site: Site) => byShell(line, { archives, server, width }, site.prefix);
      return [title, installed(title, run)] as const;
    }),
  );
  const ours = installed("provision install", (site) =>
    byCli(root, site, ["install", "--yes", "--prefix", site.prefix]),
  );
  return measure({ ...Object.fromEntries(shells), "provision install": ours }, coldRounds, say);
}

async function measureWarm(given: Given): Promise<Pick<Results, "warm" | "calls">> {
  const { root, scratch, archives, server, rounds, say } = given;
  await using site = await freshSite(scratch, archives, server);
  const args = ["install", "--yes", "--prefix", site.prefix];
  await byCli(root, site, args);
  const install = async () => {
    const { ms, cpuMs, stdout } = await byCli(root, site, args);
    if (!stdout.includes(`${archives.length} tools as wanted`)) throw new Error(`Not a no-op:\n${stdout}`);
    return { wall: ms, cpu: cpuMs };
  };
  await install();
  const warm = await measure(
    {
      // In the same environment: certificates that a variable names are read at every start.
      "node -e 0": async () => {
        const { ms, cpuMs } = await time([process.execPath, "-e", "0"], { env: environmentOf(site) });
        return { wall: ms, cpu: cpuMs };
      },
      "provision install": install,
    },
    rounds,
    say,
  );
  return { warm, calls: await traced(root, site, args) };
}

async function freshSite(
  scratch: string,
  archives: readonly Archive[],
  server: string,
): Promise<Site & AsyncDisposable> {
  const home = await mkdtemp(join(scratch, "site-"));
  await writePins(home, archives, server);
  const prefix = join(home, "prefix");
  await mkdir(prefix);
  return {
    home,
    prefix,
    cache: join(home, "cache"),
    [Symbol.asyncDispose]: () => rm(home, { recursive: true, force: true }),
  };
}

/** One digest of every program there is, wherever it was put: all must have brought the same. */
async function digestOfTools(prefix: string, archives: readonly Archive[]): Promise<string> {
  const names = new Set(archives.filter(({ isTree }) => !isTree).map(({ tool }) => tool));
  const entries = await readdir(prefix, { recursive: true, withFileTypes: true });
  const programs = entries.filter(({ name }) => names.has(name) || /^bench-tree-\d+$/.test(name));
  const digests: string[] = [];
  for (const entry of programs.filter((each) => each.isFile())) {
    const hash = createHash("sha256");
    for await (const piece of createReadStream(join(entry.parentPath, entry.name)))
      hash.update(piece as Buffer);
    digests.push(`${entry.name} ${hash.digest("hex")}`);
  }
  if (digests.length < smallCount + 45) throw new Error(`Only ${digests.length} programs were installed`);
  return digests.toSorted().join("\n");
}

async function startServer(
  root: string,
  folder: string,
): Promise<AsyncDisposable & { readonly url: string }> {
  const script = join(root, "dist/bench/bench/tools/server.js");
  const child = spawn(process.execPath, [script, folder], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(child, "close");
  const [port] = (await once(child.stdout, "data")) as [Buffer];
  return {
    url: `http://127.0.0.1:${port.toString().trim()}`,
    [Symbol.asyncDispose]: async () => {
      child.stdin.end();
      await ended;
    },
  };
}
