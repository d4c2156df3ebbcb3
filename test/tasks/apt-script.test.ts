import { execFile, execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { aptScript } from "../../src/tasks/scripts/apt-script.ts";

let root: string;

/** A root with dpkg's and apt's locks, and an apt-get and a dpkg that note how they are called. */
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "provision-apt-"));
  for (const path of ["var/lib/dpkg", "var/lib/apt/lists", "var/cache/apt/archives", "bin", "run"]) {
    mkdirSync(join(root, path), { recursive: true });
  }
  for (const path of locks) writeFileSync(join(root, path), "");
  programs("");
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

const locks = [
  "var/lib/dpkg/lock-frontend",
  "var/lib/dpkg/lock",
  "var/lib/apt/lists/lock",
  "var/cache/apt/archives/lock",
];

/** `body` is shell that sees the arguments in $*, without those that are always given; `begin` is what apt does before it calls dpkg. */
function programs(body: string): void {
  const begin = String.raw`hook=$(printf '%s\n' "$@" | sed -n 's/^DPkg::Pre-Invoke::=//p'); begin() { eval "$hook"; }`;
  const strip = String.raw`set -- $(echo "$*" | sed -E 's/-o [^ ]+ ?//g; s/^-q -y //')`;
  for (const name of ["apt-get", "dpkg"]) {
    const path = join(root, "bin", name);
    writeFileSync(path, `#!/bin/sh\n${begin}\n${strip}\necho "${name} $*" >> ${root}/calls\n${body}\n`);
    chmodSync(path, 0o755);
  }
}

function calls(): readonly string[] {
  const path = join(root, "calls");
  return existsSync(path) ? readFileSync(path, "utf8").trim().split("\n") : [];
}

/** Lists that were read so many minutes ago. */
function lists({ minutesOld }: { minutesOld: number }): void {
  writeFileSync(join(root, "var/lib/apt/lists/deb_dists_trixie_InRelease"), "");
  mkdirSync(join(root, "var/lib/provision/stamps"), { recursive: true });
  const stamp = join(root, "var/lib/provision/stamps/apt-update");
  writeFileSync(stamp, "");
  const then = Date.now() / 1000 - minutesOld * 60;
  utimesSync(stamp, then, then);
}

function run(...args: readonly string[]): Promise<{ code: number; output: string }> {
  const env = { ...process.env, PATH: `${root}/bin:${process.env["PATH"]}`, LC_ALL: "C" };
  return new Promise((resolve) => {
    const child = execFile(
      "/bin/sh",
      ["-c", aptScript(root), "provision-apt", ...args],
      { env },
      (_, out, err) => resolve({ code: child.exitCode ?? -1, output: out + err }),
    );
  });
}

describe("the script of apt", () => {
  it("reads the lists when there are none, then installs", async () => {
    const { code } = await run("5", "60", "install", "curl");

    expect(code).toBe(0);
    expect(calls()).toEqual(["apt-get update", "apt-get install curl"]);
    expect(existsSync(join(root, "var/lib/provision/stamps/apt-update"))).toBe(true);
  });

  it.each([
    { minutesOld: 5, isRead: false },
    { minutesOld: 90, isRead: true },
  ])(
    "with lists of $minutesOld minutes and 60 allowed, reads them: $isRead",
    async ({ minutesOld, isRead }) => {
      lists({ minutesOld });

      await run("5", "60", "install", "curl");

      expect(calls().includes("apt-get update")).toBe(isRead);
    },
  );

  it("reads the lists once more when apt fails before dpkg begins, and then goes on", async () => {
    lists({ minutesOld: 5 });
    programs(`case "$*" in install*) [ -e ${root}/tried ] || { touch ${root}/tried; exit 100; } ;; esac`);

    const { code } = await run("5", "60", "install", "curl");

    expect(code).toBe(0);
    expect(calls()).toEqual(["apt-get install curl", "apt-get update", "apt-get install curl"]);
  });

  it("gives up when fresh lists do not help, with apt's reason last", async () => {
    lists({ minutesOld: 5 });
    programs(`case "$*" in install*) echo "E: Unable to locate package x" >&2; exit 100 ;; esac`);

    const { code, output } = await run("5", "60", "install", "x");

    expect(code).toBe(100);
    expect(output).toMatch(/E: Unable to locate package x\n$/);
    expect(calls()).toHaveLength(3);
  });

  it("does not try again what failed while it was installed", async () => {
    lists({ minutesOld: 5 });
    programs(`case "$*" in install*) begin; exit 100 ;; esac`);

    expect((await run("5", "60", "install", "curl")).code).toBe(100);
    expect(calls()).toEqual(["apt-get install curl"]);
    expect(readdirSync(join(root, "run"))).toEqual([]);
  });

  it("counts an update that failed as none", async () => {
    programs(`case "$*" in update*) exit 100 ;; esac`);

    expect((await run("5", "60", "install", "curl")).code).toBe(100);
    expect(calls()).toEqual(["apt-get update"]);
    expect(existsSync(join(root, "var/lib/provision/stamps/apt-update"))).toBe(false);
  });

  it("needs no lists to remove", async () => {
    await run("5", "60", "purge", "curl");

    expect(calls()).toEqual(["apt-get purge curl"]);
  });

  it("repairs with dpkg first, and lets apt find what is missing when that is not enough", async () => {
    programs(`case "$*" in *--configure*) exit 1 ;; esac`);

    expect((await run("5", "60", "repair")).code).toBe(0);
    expect(calls()).toEqual([
      "dpkg --force-confdef --force-confold --configure -a",
      "apt-get --fix-broken install",
    ]);
  });

  // perl is on every Debian, and its fcntl locks as dpkg does; flock(1) would be another kind of lock.
  const why = whyNoHolder();
  describe.skipIf(why !== undefined)(`with a lock that is held${why ? ` (skipped: ${why})` : ""}`, () => {
    it.each(locks)("names who holds %s when the time is over, and does nothing", async (lock) => {
      using held = await hold(join(root, lock));

      const { code, output } = await run("0", "60", "purge", "curl");

      expect(code).toBe(75);
      expect(output).toContain(`${join(root, lock)} is held by perl (pid ${held.pid})`);
      expect(calls()).toEqual([]);
    });

    it("goes on once the lock is free", async () => {
      using held = await hold(join(root, "var/lib/dpkg/lock-frontend"));

      const running = run("60", "60", "purge", "curl");
      held.release();
      const { code } = await running;

      expect(code).toBe(0);
      expect(calls()).toEqual(["apt-get purge curl"]);
    });
  });
});

const PERL = "/usr/bin/perl";

const HOLDER = `
use Fcntl;
open(my $file, "+<", $ARGV[0]) or die;
my $lock = pack("s s x4 q q i x4", F_WRLCK, 0, 0, 0, 0);
fcntl($file, F_SETLK, $lock) or die "cannot lock";
$| = 1;
print "held\\n";
<STDIN>;
`;

function whyNoHolder(): string | undefined {
  if (!existsSync("/proc/locks")) return "there is no /proc/locks";
  try {
    execFileSync(PERL, ["-MFcntl", "-e", "1"], { stdio: "ignore" });
    return undefined;
  } catch {
    return "perl is not installed";
  }
}

interface Holder extends Disposable {
  readonly pid: number;
  release(): void;
}

async function hold(path: string): Promise<Holder> {
  const child = spawn(PERL, ["-e", HOLDER, path], { stdio: ["pipe", "pipe", "inherit"] });
  await new Promise<void>((resolve, reject) => {
    child.stdout.once("data", () => resolve());
    child.once("exit", (code) => reject(new Error(`the holder ended with ${code}`)));
  });
  return {
    pid: child.pid ?? -1,
    release: () => void child.stdin.end(),
    [Symbol.dispose]: () => void child.kill(),
  };
}
