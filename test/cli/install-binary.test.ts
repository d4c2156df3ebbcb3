import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { execa } from "execa";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { warmInstall } from "../../src/provisioner/cli/install/warm.ts";
import { type CompiledCli, compileCli } from "../support/compiled-cli.ts";
import { bat, go, jq, nerdctl, releases, shellcheck, shellcheckTar } from "../support/releases.ts";
import { openToolProject, type Release, type ToolProject } from "../support/tool-project.ts";
import { listing } from "../support/tree-listing.ts";

let cli: CompiledCli;
let project: ToolProject;
let home: string;
let prefix: string;

beforeAll(async () => {
  cli = await compileCli();
}, 60_000);

afterAll(async () => {
  await cli[Symbol.asyncDispose]();
});

beforeEach(async () => {
  project = await openToolProject();
  home = mkdtempSync(join(tmpdir(), "provision-home-"));
  prefix = join(home, "prefix");
});

afterEach(async () => {
  await project[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
});

function environment(): Record<string, string> {
  return {
    PATH: `${process.env["PATH"] ?? ""}:${prefix}/bin`,
    HOME: home,
    TERM: "xterm",
    SHELL: "/bin/bash",
    PROVISION_HOME: project.home,
    PROVISION_CACHE: join(home, "cache"),
  };
}

function options() {
  return { reject: false, stdin: "ignore", cwd: home, extendEnv: false, env: environment() } as const;
}

function install(...args: readonly string[]) {
  return execa("node", [cli.main, "install", "--prefix", prefix, ...args], options());
}

/** The prefix, but for the files that have the times of the moment in them. */
function settled(): readonly string[] {
  return listing(prefix, (path) => /\/(state\.json|\.files)$/.test(path));
}

const all = (version: string): readonly Release[] => releases.map((release) => release(version));

describe("nothing to do", () => {
  /** The short way by itself; gives what it would print. */
  function warm(args: readonly string[]): string | undefined {
    let said: string | undefined;
    const found = warmInstall(
      { args: ["install", ...args], env: environment(), cwd: home, arch: process.arch },
      (text) => {
        said = text;
      },
    );
    return found ? said : undefined;
  }

  it("opens no socket, starts no process and reads no package", async () => {
    await project.pin(...all("1.0"));
    await install("--yes");

    const calls = "trace=socket,connect,execve,execveat,fork,vfork,clone,clone3,openat";
    const { stderr, exitCode } = await execa(
      "strace",
      ["-f", "-e", calls, "node", cli.main, "install", "--prefix", prefix, "--yes"],
      options(),
    );

    expect(exitCode).toBe(0);
    expect(stderr).toContain("state.json");
    expect(stderr).not.toMatch(/socket\(|connect\(|node_modules/);
    expect(stderr.match(/execve\(/g)).toHaveLength(1);
    // Node's own threads share the memory of the process; a process of its own would not.
    const clones = stderr.split("\n").filter((line) => /\b(v?fork|clone3?)\(/.test(line));
    expect(clones.filter((line) => !line.includes("CLONE_THREAD") && !/resumed/.test(line))).toEqual([]);
  });

  it.each([[["--yes"]], [["--yes", "--json"]], [["bat", "jq"]], [["--json", "jq"]], [[]]])(
    "says with %j what the whole command says",
    async (args) => {
      await project.pin(...all("1.0"));
      await install("--yes");
      const short = await install(...args);
      rmSync(join(prefix, "share/provision/state.json"));

      const whole = await install(...args);

      const timeless = (text: string) => text.replace(/"ms":[\d.]+/, '"ms":0');
      expect(short.exitCode).toBe(0);
      expect(timeless(short.stdout)).toBe(timeless(whole.stdout));
      expect([short.stderr, whole.stderr]).toEqual(["", ""]);
    },
  );

  it("is known for all, for names and for flags that change nothing", async () => {
    await project.pin(...all("1.0"));
    await install("--yes");

    const at = ["--prefix", prefix];
    expect(warm([...at, "--yes"])).toBe(`6 tools as wanted in ${prefix}\n`);
    expect(warm([`--prefix=${prefix}`, "jq"])).toBe(`1 tool as wanted in ${prefix}\n`);
    expect(warm([...at, "--offline", "--no-color", "go", "bat"])).toBe(`2 tools as wanted in ${prefix}\n`);
  });

  it.each([["--force"], ["--check"], ["--list"], ["--uninstall"], ["--verbose"], ["--write-path"], ["zq"]])(
    "is left to the whole command with %s",
    async (arg) => {
      await project.pin(jq("1.0"));
      await install("--yes");

      expect(warm(["--prefix", prefix, "jq"])).toBeDefined();
      expect(warm(["--prefix", prefix, "jq", arg])).toBeUndefined();
    },
  );

  const program = () => join(prefix, "share/provision/store/jq/current/bin/jq");

  it.each<[string, () => void]>([
    ["a link is gone", () => rmSync(join(prefix, "bin/jq"))],
    ["a program is shorter", () => truncateSync(program(), 3)],
    ["a program was written to", () => utimesSync(program(), 1, 1)],
    ["a program may not run", () => execFileSync("chmod", ["-x", program()])],
    ["versions.yaml has another byte", () => appendFileSync(join(project.home, "versions.yaml"), "#\n")],
    ["the state is half there", () => truncateSync(join(prefix, "share/provision/state.json"), 20)],
  ])("is not believed when %s", async (_what, change) => {
    await project.pin(jq("1.0"));
    await install("--yes");
    const before = warm(["--prefix", prefix, "--yes"]);

    change();

    expect(before).toBeDefined();
    expect(warm(["--prefix", prefix, "--yes"])).toBeUndefined();
    expect((await install("--yes")).exitCode).toBe(0);
    expect(warm(["--prefix", prefix, "--yes"])).toBe(before);
  });
});

it("converges after it was killed at any moment, and leaves no stray file", async () => {
  const versions = ["1.0", "2.0", "3.0"] as const;
  const tools = (version: string) => [bat(version), jq(version), go(version), nerdctl(version)];
  const clean = () => rmSync(join(home, "cache"), { recursive: true, force: true });
  const bring = async (version: string) => {
    await project.pin(...tools(version));
    const started = performance.now();
    const { exitCode, stderr } = await install("--yes");
    expect({ exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({ exitCode: 0, stderr: "" });
    return performance.now() - started;
  };
  // What it has to look like with each version in use, and the one before kept.
  const wanted = new Map<string, readonly string[]>();
  let ms = 0;
  for (const version of ["3.0", ...versions]) {
    clean();
    ms = await bring(version);
    wanted.set(version, settled());
  }

  for (let round = 0; round < 20; round += 1) {
    const version = versions[round % 3] ?? "1.0";
    clean();
    await project.pin(...tools(version));
    const child = spawn("node", [cli.main, "install", "--prefix", prefix, "--yes"], {
      env: environment(),
      stdio: "ignore",
    });
    const gone = once(child, "exit");
    const moment = ms * (0.3 + 0.8 * Math.random());
    const timer = setTimeout(() => child.kill("SIGKILL"), moment);
    await gone;
    clearTimeout(timer);

    await bring(version);

    expect({ round, moment, found: settled() }).toEqual({ round, moment, found: wanted.get(version) });
  }
  await install("--uninstall", "bat", "jq", "go", "nerdctl");
  expect(existsSync(prefix)).toBe(false);
}, 180_000);

it.each([
  ["a first install", [], ["jq"]],
  ["an upgrade", ["1.0"], ["jq"]],
  ["a repair", ["1.0", "2.0"], ["--force", "jq"]],
  ["a removal", ["1.0", "2.0"], ["--uninstall", "jq"]],
])(
  "ends %s that was killed at whichever change of the disk",
  async (_what, before, args) => {
    for (const version of before) {
      await project.pin(jq(version));
      await install("jq");
    }
    await project.pin(jq("2.0"));
    await execa("cp", ["-a", home, `${home}-before`]);
    await install(...args);
    const wanted = existsSync(prefix) ? settled() : [];

    // Each of these calls in turn is the last one that the process makes.
    const calls = "mkdir,rename,symlink,unlink,rmdir,link,chmod";
    let moment = 0;
    for (let isKilled = true; isKilled;) {
      rmSync(home, { recursive: true });
      await execa("cp", ["-a", `${home}-before`, home]);
      moment += 1;
      const strace = ["-f", "-o", "/dev/null", "-e", `trace=${calls}`];
      const inject = ["-e", `inject=${calls}:signal=SIGKILL:when=${moment}`];
      const line = ["node", cli.main, "install", "--prefix", prefix, ...args];
      isKilled = (await execa("strace", [...strace, ...inject, ...line], options())).exitCode !== 0;
      if (isKilled) await install(...args);

      const found = existsSync(prefix) ? settled() : [];
      expect({ moment, found }).toEqual({ moment, found: wanted });
    }
    rmSync(`${home}-before`, { recursive: true });
    expect(moment).toBeGreaterThan(5);
  },
  180_000,
);

it("renews a program that runs, and no reader ever misses it", async () => {
  const sleeper = (version: string): Release => ({
    name: "sleeper",
    file: `sleeper-${version}`,
    // Bytes after the sections change nothing of what an ELF program does.
    body: Buffer.concat([readFileSync("/bin/sleep"), Buffer.from(version)]),
    entry: { version, binary: "sleeper" },
  });
  await project.pin(sleeper("1.0"));
  await install("sleeper");
  const old = spawn(join(prefix, "bin/sleeper"), ["60"], { stdio: "ignore" });
  const ended = once(old, "exit");
  await once(old, "spawn");
  await project.pin(sleeper("2.0"));

  const upgrade = install("sleeper");
  let looks = 0;
  let misses = 0;
  const look = setInterval(() => {
    for (let each = 0; each < 500; each += 1, looks += 1)
      if (!existsSync(join(prefix, "bin/sleeper"))) misses += 1;
  });
  const { exitCode } = await upgrade;
  clearInterval(look);

  expect(exitCode).toBe(0);
  expect(readFileSync(join(prefix, "bin/sleeper")).subarray(-3).toString()).toBe("2.0");
  expect({ misses, runs: old.exitCode }).toEqual({ misses: 0, runs: null });
  expect(looks).toBeGreaterThan(500);
  old.kill();
  await ended;
});

it("makes everything readable for everybody under any umask", async () => {
  await project.pin(...all("1.0"));

  const program = `umask 077; exec node ${cli.main} install --prefix ${prefix} --yes`;
  const { exitCode } = await execa("sh", ["-c", program], options());

  const open = /^(link|directory 755|file (644|755)) /;
  expect(exitCode).toBe(0);
  expect(listing(prefix).filter((line) => !open.test(line))).toEqual([]);
});

it("installs from tar.xz", async () => {
  const packed = execFileSync("xz", ["-c"], { input: shellcheckTar("1.0") });
  await project.pin(shellcheck("1.0", packed));

  const { exitCode, stdout } = await install("shellcheck");

  expect(exitCode).toBe(0);
  expect(stdout).toContain("shellcheck  1.0      installed");
  expect(execFileSync(join(prefix, "bin/shellcheck"), { encoding: "utf8" })).toBe("shellcheck 1.0\n");
});

it("leaves everything as it was when it is stopped", async () => {
  await project.pin(jq("1.0"), bat("1.0"));
  await install("--yes");
  const before = settled();
  await project.pin(jq("2.0"), bat("2.0"));
  let child: ReturnType<typeof install> | undefined;
  // The server never answers the second file, and that is the moment to stop.
  project.intercept = (request) => {
    if (!request.url?.includes("jq")) return false;
    child?.kill("SIGINT");
    return true;
  };

  child = install("jq");
  const { exitCode, stderr } = await child;

  expect(exitCode).toBe(130);
  expect(stderr).toContain("error STOPPED");
  expect(settled()).toEqual(before);
});

describe("a terminal", () => {
  /** Under a terminal of its own: presses the keys when the picker is there. */
  async function pick(keys: string, ...args: readonly string[]) {
    const line = ["stty cols 120 rows 40; node", cli.main, "install --prefix", prefix, ...args].join(" ");
    const child = execa("script", ["-qec", line, "/dev/null"], { ...options(), stdin: "pipe" });
    let shown = "";
    child.stdout.on("data", (data: Buffer) => {
      const before = shown;
      shown += data.toString();
      if (!before.includes("Tools to install") && shown.includes("Tools to install"))
        for (const key of keys) child.stdin.write(key);
    });
    const { exitCode } = await child;
    return { exitCode, shown };
  }

  it("offers everything for a prefix that has nothing", async () => {
    await project.pin(bat("1.0"), jq("1.0"));

    const { exitCode, shown } = await pick("\r");

    expect(exitCode).toBe(0);
    expect(shown).toMatch(/bat\s+1\.0\s+not installed/);
    expect(readdirSync(join(prefix, "bin")).toSorted()).toEqual(["bat", "jq"]);
  });

  it("installs what is picked", async () => {
    await project.pin(bat("1.0"), jq("1.0"));

    // The first one is taken out, the second one stays.
    const { exitCode } = await pick(" \r");

    expect(exitCode).toBe(0);
    expect(readdirSync(join(prefix, "bin"))).toEqual(["jq"]);
  });

  it("offers later on what is newer, and leaves out what was left out before", async () => {
    await project.pin(bat("1.0"), jq("1.0"));
    await install("jq");
    await project.pin(bat("2.0"), jq("2.0"));

    const { exitCode, shown } = await pick("\r");

    expect(exitCode).toBe(0);
    expect(shown).toMatch(/jq\s+2\.0\s+1\.0 installed, newer is pinned/);
    expect(readdirSync(join(prefix, "bin"))).toEqual(["jq"]);
    expect(execFileSync(join(prefix, "bin/jq"), { encoding: "utf8" })).toBe("jq 2.0\n");
  });

  it("ends with 130 at Ctrl-C, with nothing begun", async () => {
    await project.pin(jq("1.0"));

    const { exitCode, shown } = await pick("\u0003");

    expect(exitCode).toBe(130);
    expect(shown).toContain("nothing was begun");
    expect(existsSync(prefix)).toBe(false);
  });

  it("asks nothing when names are given or --yes", async () => {
    await project.pin(jq("1.0"));

    const named = await pick("", "jq");
    const yes = await pick("", "--yes", "--force");

    expect([named.exitCode, yes.exitCode]).toEqual([0, 0]);
    expect(named.shown + yes.shown).not.toContain("Tools to install");
    expect(statSync(join(prefix, "bin/jq")).isFile()).toBe(true);
  });
});
