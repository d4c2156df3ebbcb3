import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { runProgram } from "../../src/provisioner/cli/program.ts";
import { compileCli } from "../support/compiled-cli.ts";
import type { CompiledCli } from "../support/compiled-cli.ts";
import { fakeShell } from "../support/fake-shell.ts";

let cli: CompiledCli;
let home: string;

beforeAll(async () => {
  cli = await compileCli();
  home = await mkdtemp(join(tmpdir(), "provision-faults-"));
  await mkdir(join(home, "specs"));
  await copyFile(fileURLToPath(new URL("../../versions.yaml", import.meta.url)), join(home, "versions.yaml"));
}, 60_000);

afterAll(async () => {
  await cli[Symbol.asyncDispose]();
  await rm(home, { recursive: true });
});

function options(env: Readonly<Record<string, string>> = {}) {
  return {
    reject: false,
    stdin: "ignore",
    cwd: home,
    extendEnv: false,
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: home,
      TERM: "dumb",
      PROVISION_HOME: home,
      PROVISION_CACHE: join(home, "cache"),
      ...env,
    },
  } as const;
}

function provision(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return execa("node", [cli.main, ...args], options(env));
}

/** Writes a spec with these tasks on a base that there is. */
async function spec(name: string, body: string): Promise<void> {
  await writeFile(join(home, `specs/${name}.yaml`), body);
}

const correct = "mend: Correct the spec; `provision tasks";

describe("a spec that is wrong", () => {
  it.each<[what: string, body: string, at: string, says: string]>([
    [
      "an unknown key",
      "base: debian-13\ndisc: {sizeGiB: 9}\n",
      "2:1",
      'Cannot accept disc: must be "disk", is "disc"',
    ],
    [
      "an unknown parameter",
      "base: debian-13\ntasks:\n  - file: {path: /a, content: x, moed: x}\n",
      "3:34",
      'Cannot accept tasks[0].file.moed: must be "mode", is "moed"',
    ],
    [
      "a wrong type",
      "base: debian-13\ntasks:\n  - file: {path: /a, content: x, mode: 420}\n",
      "3:40",
      "Cannot accept tasks[0].file.mode: must be text (in quotes), is 420",
    ],
    [
      "an unknown task",
      "base: debian-13\ntasks:\n  - fiel: {path: /a}\n",
      "3:5",
      'Cannot accept tasks[0].fiel: must be a task (nearest: "file"), is "fiel"',
    ],
    [
      "an unknown template",
      "base: debian-13\ntasks:\n  - file: {path: /a, template: motd}\n",
      "3:32",
      "Cannot accept tasks[0].file.template: must be a template",
    ],
    [
      "an include of itself",
      "base: debian-13\nincludes: [bad]\n",
      "2:12",
      'Cannot include "bad": includes must not come back to where they start',
    ],
    [
      "two uses of one subject",
      "base: debian-13\ntasks:\n  - file: {path: /a, content: x}\n  - file: {path: /a, content: y}\n",
      "4:5",
      "Cannot use file /a twice: must be used once, is used at specs/bad.yaml:3:5 too",
    ],
    [
      "two tasks on one path",
      "base: debian-13\ntasks:\n  - file: {path: /a, content: x}\n  - absent: {path: /a}\n",
      "4:5",
      'Cannot use absent /a: "/a" must be one use\'s alone, is that of file /a at specs/bad.yaml:3:5 too',
    ],
    ["no base", "tasks: []\n", "1:1", "Cannot build this spec: it or one it includes must have"],
    ["an unknown base", "base: debian-14\n", "1:7", "Cannot accept base: must be a base"],
  ])("with %s ends 2 with place, reason and mend", async (_, body, at, says) => {
    await spec("bad", body);

    const shell = fakeShell(home, { PROVISION_HOME: home });
    const exitCode = await runProgram(["validate", "bad"], shell);

    const stderr = shell.err.join("");
    expect({ exitCode, stdout: shell.out }).toEqual({ exitCode: 2, stdout: [] });
    expect(stderr).toMatch(new RegExp(`^error SPEC_INVALID  specs/bad\\.yaml:${at}\\n`));
    expect(stderr).toContain(says);
    expect(stderr).toContain(correct);
  });

  it("is refused before a build opens or makes anything", async () => {
    await spec(
      "bad",
      "base: debian-13\ntasks:\n  - file: {path: /a}\n  - file: {path: relative, content: x}\n",
    );

    const { exitCode, stderr } = await provision(["build", "--spec", "bad"], {
      PROVISION_IMAGES: join(home, "none/images"),
      PROVISION_CACHE: join(home, "none/cache"),
    });

    expect(exitCode).toBe(2);
    expect(stderr).toContain("error SPEC_INVALID");
    expect(await readdir(home)).not.toContain("none");
  });
});

describe("a hypervisor that is not there", () => {
  it("ends 4 with the way to start it when libvirtd is down", async () => {
    const uri = `qemu+unix:///system?socket=${home}/nowhere.sock`;

    const { exitCode, stdout, stderr } = await provision(["gc"], { PROVISION_LIBVIRT: uri });

    expect({ exitCode, stdout }).toEqual({ exitCode: 4, stdout: "" });
    expect(stderr).toMatch(
      /^error LIBVIRT_DOWN\n {2}Cannot reach libvirt at "qemu\+unix:.*\n {2}mend: Start it/m,
    );
  });

  it.skipIf(process.getuid?.() !== 0)(
    "ends 4 with the group to join when its socket is closed to this user (skipped unless root)",
    async ({ skip }) => {
      const nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
      const open = await mkdtemp(join(tmpdir(), "provision-nobody-"));
      const as = options({ HOME: open, PROVISION_CACHE: open });
      await execa("chmod", ["0777", open]);
      await execa("chmod", ["0755", home, cli.folder]);
      const reads = await execa("setpriv", [...nobody, "test", "-r", cli.main], as);
      if (reads.exitCode !== 0) skip("this checkout is closed to other users");
      const socket = join(open, "libvirt.sock");
      const server = createServer().listen(socket);
      await execa("chmod", ["0600", socket]);

      const env = options({
        HOME: open,
        PROVISION_CACHE: open,
        PROVISION_LIBVIRT: `qemu+unix:///system?socket=${socket}`,
      });
      const { exitCode, stderr } = await execa("setpriv", [...nobody, "node", cli.main, "gc"], env);

      server.close();
      await rm(open, { recursive: true });
      expect(exitCode).toBe(4);
      expect(stderr).toMatch(/^error LIBVIRT_DENIED\n/m);
      expect(stderr).toMatch(/^ {2}mend: Run `sudo usermod -aG libvirt \w+` and log in again/m);
    },
  );
});

describe("provision gc after a SIGKILL", () => {
  it("removes what the killed process left, whose lock is free at once", async () => {
    const work = join(home, "cache/work");
    const local = join(cli.folder, "provisioner/local");
    // As a build does: the lock, then the scratch directory, then work that takes long.
    const script = `
      const { holdLock } = await import("${local}/lock.js");
      const { openScratch } = await import("${local}/scratch.js");
      const run = { signal: new AbortController().signal, note: console.log };
      const lock = await holdLock("${home}/images/web", "the build of web", run);
      const scratch = await openScratch("${work}", "build");
      console.log(lock && scratch.path);
      setInterval(() => {}, 1000);`;
    const build = execa("node", ["--input-type=module", "-e", script], options());
    const left = await new Promise<string>((resolve) => {
      build.stdout.once("data", (text: Buffer) => resolve(text.toString().trim()));
    });
    const env = { PROVISION_LIBVIRT: "test:///default", PROVISION_IMAGES: join(home, "images") };

    const living = await provision(["gc"], env);
    build.kill("SIGKILL");
    await build;
    const looked = await provision(["gc", "--check"], env);
    const collected = await provision(["gc"], env);
    const again = await provision(["gc"], env);

    expect(living).toMatchObject({ exitCode: 0, stdout: "0 things removed" });
    expect(looked).toMatchObject({ exitCode: 3, stdout: `folder  ${left}\n1 thing to remove` });
    expect(collected).toMatchObject({ exitCode: 0, stdout: `folder  ${left}\n1 thing removed` });
    expect(again).toMatchObject({ exitCode: 0, stdout: "0 things removed" });
    expect(await readdir(work)).toEqual([]);
    const next = execa("node", ["--input-type=module", "-e", script], options());
    await new Promise((resolve) => next.stdout.once("data", resolve));
    next.kill("SIGKILL");
    await next;
  }, 30_000);
});
