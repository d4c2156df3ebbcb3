import { mkdtemp, rm, writeFile, mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { compileCli } from "../support/compiled-cli.ts";
import type { CompiledCli } from "../support/compiled-cli.ts";

let cli: CompiledCli;
let home: string;

const working = fileURLToPath(new URL("../support/working-command.mjs", import.meta.url));

beforeAll(async () => {
  cli = await compileCli();
  home = await mkdtemp(join(tmpdir(), "provision-cli-"));
  await mkdir(join(home, "specs"));
  await writeFile(
    join(home, "specs/good.yaml"),
    "base: debian-13\ntasks:\n  - sysctl: {key: a.b, value: '1'}\n",
  );
  await mkdir(join(home, "broken/specs"), { recursive: true });
  await writeFile(
    join(home, "broken/specs/bad.yaml"),
    "base: debian-13\ntasks:\n  - sysctl: {key: a.b, value: 5}\n",
  );
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
    env: { PATH: process.env["PATH"] ?? "", HOME: home, TERM: "xterm", PROVISION_HOME: home, ...env },
  } as const;
}

function provision(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return execa("node", [cli.main, ...args], options(env));
}

/** Under a terminal of its own; what it shows is in `stdout`. */
function onTerminal(line: string, env: Readonly<Record<string, string>> = {}) {
  return execa("script", ["-qec", `stty cols 100 rows 40; ${line}`, "/dev/null"], options(env));
}

describe("provision", () => {
  it("prints help on standard output and ends 0 when asked, 2 when given nothing", async () => {
    const asked = await provision(["--help"]);
    const nothing = await provision([]);

    expect(asked).toMatchObject({ exitCode: 0, stderr: "" });
    expect(asked.stdout).toContain("Usage: provision COMMAND [FLAGS]");
    expect(nothing).toMatchObject({ exitCode: 2, stdout: asked.stdout });
  });

  it("shows examples and exit codes in the help of a command", async () => {
    const { stdout } = await provision(["validate", "--help"]);

    expect(stdout).toContain("Examples:\n  provision validate\n");
    expect(stdout).toContain("Exit:\n    0  as wanted\n    2  a spec or the command line is wrong");
    expect(await provision(["help", "validate"])).toMatchObject({ stdout, exitCode: 0 });
  });

  it.each([
    [["validat"], 'unknown command "validat"', "Use validate;"],
    [["tasks", "--jsn"], 'unknown option "--jsn"', "Use --json;"],
    [["completion"], 'missing required argument "SHELL"', "Correct it;"],
    [["completion", "csh"], "Allowed choices are bash, zsh, fish", "Correct it;"],
    [["images", "surplus"], "too many arguments", "Correct it;"],
    [["tasks", "sysctll"], 'Cannot show task "sysctll"', 'Name "sysctl"'],
    [["validate", "goood"], 'Cannot find spec "goood"', 'Name "good"'],
  ])("refuses %j with the nearest name and ends 2", async (args, what, mend) => {
    const { exitCode, stdout, stderr } = await provision(args);

    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toMatch(/^error USAGE\n {2}Cannot /);
    expect(stderr).toContain(what);
    expect(stderr).toContain(`mend: ${mend}`);
  });

  it("says a wrong command line as JSON with --json", async () => {
    const { exitCode, stdout, stderr } = await provision(["--json", "validat"]);

    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({ kind: "error", code: "USAGE" });
  });

  it("says which setting of the environment is wrong, and what it takes", async () => {
    const refused = await provision(["gc", "--check"], {
      PROVISION_CPUS: "none",
      PROVISION_LIBVIRT: "test:///default",
    });

    expect([refused.exitCode, refused.stderr]).toEqual([
      2,
      expect.stringContaining('PROVISION_CPUS: must be a whole number of processors, 1 to 256, is "none"'),
    ]);
  });

  it("validates every spec of the project, or the one that is named", async () => {
    expect(await provision(["validate"])).toMatchObject({
      exitCode: 0,
      stdout: "good: 1 uses in specs/good.yaml",
      stderr: "",
    });
    expect(await provision(["validate", "./specs/good.yaml"])).toMatchObject({ exitCode: 0 });
  });

  it("points at line and column of what is wrong in a spec", async () => {
    const result = await provision(["validate"], { PROVISION_HOME: join(home, "broken") });

    expect(result).toMatchObject({ exitCode: 2, stdout: "" });
    expect(result.stderr).toBe(
      `error SPEC_INVALID  broken/specs/bad.yaml:3:31
  Cannot accept tasks[0].sysctl.value: must be text (in quotes), is 5
  mend: Correct the spec; \`provision tasks sysctl\` shows what it takes`,
    );
  });

  it("prints results as JSON lines that parse with --json", async () => {
    const { stdout } = await provision(["tasks", "sysctl", "--json"]);

    const events = stdout.split("\n").map((line) => JSON.parse(line) as { kind: string; data?: unknown });
    expect(events.map(({ kind }) => kind)).toEqual(["run-started", "result", "run-ended"]);
    expect(events[1]?.data).toMatchObject({ name: "sysctl", schema: { type: "object" } });
  });

  it("prints the version", async () => {
    expect((await provision(["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+$/);
    expect((await provision(["version"])).stdout).toMatch(/^\d+\.\d+\.\d+$/);
  });

  it("says where images would be when there are none", async () => {
    expect((await provision(["images"])).stdout).toContain(`No images in ${join(home, "images")}`);
  });

  it("ends quietly when its reader goes away", async () => {
    const { exitCode, stderr } = await execa(
      "sh",
      ["-c", `node ${cli.main} tasks sysctl | true; node ${cli.main} --help 2>&1 >/dev/full | head -c 300`],
      options(),
    );

    expect(exitCode).toBe(0);
    expect(stderr).toBe("");
  });

  it.each(["bash", "zsh", "fish"])("prints a %s completion that names commands and specs", async (shell) => {
    const { stdout } = await provision(["completion", shell]);

    expect(stdout).toContain("validate");
    expect(stdout).toContain(join(home, "specs"));
  });

  it("completes commands, flags and specs in bash", async () => {
    const { stdout: script } = await provision(["completion", "bash"]);
    const complete = async (words: string) => {
      const program = `${script}\nCOMP_WORDS=(${words}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _provision; echo "\${COMPREPLY[@]}"`;
      return (await execa("bash", ["-c", program], options())).stdout;
    };

    expect(await complete("provision val")).toBe("validate");
    expect(await complete("provision validate go")).toBe("good");
    expect(await complete("provision tasks --js")).toBe("--json");
  });

  it("completes hosts in bash, of commands that take some", async () => {
    const project = join(home, "with-hosts");
    await mkdir(join(project, "hosts"), { recursive: true });
    for (const name of ["far01", "defaults"]) await writeFile(join(project, `hosts/${name}.yaml`), "");
    const environment = options({ PROVISION_HOME: project });
    const { stdout: script } = await execa("node", [cli.main, "completion", "bash"], environment);
    const complete = async (words: string) => {
      const program = `${script}\nCOMP_WORDS=(${words} ""); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _provision; echo "\${COMPREPLY[@]}"`;
      return (await execa("bash", ["-c", program], { cwd: project })).stdout;
    };

    expect(await complete("provision stop")).toBe("far01");
    expect(await complete("provision deploy --check")).toBe("far01");
    expect(await complete("provision fetch")).toBe("hosts");
  });
});

describe("a terminal", () => {
  it("shows a tree that is redrawn, then the result, the counts and the log", async () => {
    const { stdout, exitCode } = await onTerminal(`node ${working} ${cli.folder} quick`);

    const text = visible(stdout);
    expect(exitCode).toBe(0);
    expect(stdout).toContain("\u001B[?25l");
    expect(stdout.lastIndexOf("\u001B[?25h")).toBeGreaterThan(stdout.lastIndexOf("\u001B[?25l"));
    expect(text).toMatch(
      /✔ Build image: done, 0\.\d s\n {2}✔ Make disk: done, 0\.\d s, 3 GiB\n {2}✔ Install: done, 0\.\d s\n {4}✔ changed apt curl\n {4,8}curl: absent -> 8\.14/,
    );
    expect(text).toMatch(/image ready\n1 change, 0\.\d s\nlog: .*\.log\s*$/);
  });

  it("shows plain lines, without one escape, when TERM is dumb or there is none", async () => {
    const dumb = await onTerminal(`node ${working} ${cli.folder} quick`, { TERM: "dumb" });
    const none = await execa("node", [working, cli.folder, "quick"], options());

    const lines = /Build image\n {2}Make disk\n {2}Make disk: done, 0\.\d s, 3 GiB\n {2}Install\n/;
    expect(dumb.stdout.replaceAll("\r", "")).toMatch(lines);
    expect(dumb.stdout).not.toContain("\u001B");
    expect(none.stderr).toMatch(lines);
    expect(none.stderr).not.toContain("\u001B");
    expect(none.stdout).toBe("image ready");
  });

  it("paints errors there unless NO_COLOR is set", async () => {
    const painted = await onTerminal(`node ${cli.main} validat`);
    const bare = await onTerminal(`node ${cli.main} validat`, { NO_COLOR: "1" });

    expect(painted.stdout).toContain("\u001B[31merror\u001B[39m");
    expect(bare.stdout).not.toContain("\u001B");
  });
});

describe("signals", () => {
  it.each(["SIGINT", "SIGTERM"] as const)("cleans up at the first %s and ends 130", async (signal) => {
    const child = execa("node", [working, cli.folder], options());
    await printed(child.stderr, "ready to be stopped");

    child.kill(signal);
    const { exitCode, stdout, stderr } = await child;

    expect({ exitCode, stdout }).toEqual({ exitCode: 130, stdout: "" });
    expect(stderr).toContain("Stopping: cleaning up");
    expect(stderr).toContain("error STOPPED\n  Stopped: everything that was opened is closed again\n");
  });

  it("leaves at once at the second one and says what is left", async () => {
    const child = execa("node", [working, cli.folder, "stubborn"], options());
    await printed(child.stderr, "ready to be stopped");

    child.kill("SIGINT");
    await printed(child.stderr, "Stopping: cleaning up");
    child.kill("SIGINT");
    const { exitCode, stderr } = await child;

    expect(exitCode).toBe(130);
    expect(stderr).toContain(
      'Stopped at once: "Build image" > "Install" was not finished; `provision gc` removes',
    );
  });
});

/** Waits until a stream has printed some words. */
function printed(stream: NodeJS.ReadableStream, words: string): Promise<void> {
  return new Promise((resolve) => {
    let text = "";
    stream.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes(words)) resolve();
    });
  });
}

/** What a terminal shows in the end, near enough: without escapes. */
function visible(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replaceAll("\r", "").replaceAll(/\u001B\[[0-?]*[ -/]*[@-~]/g, "");
}
