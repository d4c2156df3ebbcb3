import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { execa } from "execa";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { runProgram } from "../../src/provisioner/cli/program.ts";
import { compileCli } from "../support/compiled-cli.ts";
import { fakeShell } from "../support/fake-shell.ts";
import { startSshServer, type SshServer } from "../support/ssh-server.ts";

// The worker is root's: as somebody else it would need sudo on the machine of the tests.
const isRoot = process.getuid?.() === 0;

/** Made up here; each has something that quoting or splitting may break. */
const secrets = {
  file: "-----BEGIN A KEY-----\nfirst 'line' of it\nsecond \"line\" of it\n-----END A KEY-----\n",
  env: "it's $HOME & \\more\\ 100%",
  command: "correct horse battery staple",
} as const;

/** Whatever of a secret is long enough to be worth reading: words and base64. */
const tells = [
  ...Object.values(secrets).flatMap((secret) => secret.match(/[a-z]{4,}|\d{3,}%|\$HOME/g) ?? []),
  ...Object.values(secrets).map((secret) => Buffer.from(secret).toString("base64").slice(0, 12)),
].filter((word) => word !== "line");

describe.skipIf(!isRoot)("secrets (skipped unless root)", () => {
  let home: string;
  let server: SshServer;
  let flags: readonly string[];

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), "provision-secrets-"));
    server = await startSshServer();
    flags = ["--spec", "web", ...server.login];
    await mkdir(join(home, "specs"));
    await writeFile(join(home, "specs/key"), secrets.file);
    await writeFile(join(home, "password"), `${secrets.command}\n`);
  }, 30_000);

  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await rm(home, { recursive: true });
  });

  beforeEach(async () => {
    await rm(join(home, "target"), { recursive: true, force: true });
    await rm(join(home, ".local"), { recursive: true, force: true });
  });

  const at = (name: string) => join(home, "target", name);

  function specOf(...more: readonly string[]): string {
    return `base: debian-13
tasks:
  - directory: {path: ${join(home, "target")}}
  - file: {path: ${at("file")}, secret: {file: key}}
  - file: {path: ${at("env")}, secret: {env: APP_TOKEN}, mode: "0640"}
  - file: {path: ${at("command")}, secret: {command: [cat, ${join(home, "password")}]}}
${more.join("\n")}
`;
  }

  async function provision(spec: string, ...args: string[]) {
    await writeFile(join(home, "specs/web.yaml"), spec);
    const env = { PROVISION_HOME: home, PATH: "/usr/bin:/bin", APP_TOKEN: secrets.env, SHORT: "xyz" };
    const shell = fakeShell(home, env);
    const exitCode = await runProgram(args, shell);
    const logs = join(home, ".local/state/provision/log");
    const names = await readdir(logs).catch(() => []);
    const log = await Promise.all(names.map((name) => readFile(join(logs, name), "utf8")));
    return { exitCode, out: shell.out.join(""), err: shell.err.join(""), log: log.join("") };
  }

  /** Every way to have a run shown. */
  const sinks = [[], ["--verbose"], ["--diff"], ["--verbose", "--diff"], ["--json"], ["--json", "--verbose"]];

  /** All that a run said, wherever. */
  function said({ out, err, log }: { out: string; err: string; log: string }): string {
    return out + err + log;
  }

  function expectNothingTold(text: string): void {
    for (const word of tells) expect(text).not.toContain(word);
  }

  it.each(sinks)("are on the target, 0600 or as said, and told nowhere with [%s %s]", async (...sink) => {
    const first = await provision(specOf(), "apply", ...flags, ...sink);
    const second = await provision(specOf(), "apply", ...flags, ...sink);

    expect([first.exitCode, second.exitCode]).toEqual([0, 0]);
    expect(await readFile(at("file"), "utf8")).toBe(secrets.file);
    expect(await readFile(at("env"), "utf8")).toBe(secrets.env);
    expect(await readFile(at("command"), "utf8")).toBe(`${secrets.command}\n`);
    const modes = await Promise.all(
      ["file", "env", "command"].map(async (name) => (await stat(at(name))).mode),
    );
    expect(modes.map((mode) => mode & 0o777)).toEqual([0o600, 0o640, 0o600]);
    expect(second.log).toContain("as wanted, 4 uses");
    expectNothingTold(said(first) + said(second));
  });

  it("are not told by an error that nobody caught", async () => {
    await using cli = await compileCli();
    const [spec, reading] = [join(home, "specs/slow.yaml"), join(home, "reading")];
    const slow = `  - file: {path: ${at("slow")}, secret: {command: [sh, -c, "touch ${reading}; sleep 20"]}}`;
    await writeFile(spec, specOf(slow));
    const bug = join(home, "bug.mjs");
    await writeFile(
      bug,
      `import { existsSync } from "node:fs";
      setInterval(() => {
        if (existsSync("${reading}")) throw new Error(\`a bug at \${process.env.APP_TOKEN}\`);
      }, 50).unref();`,
    );

    const { exitCode, stdout, stderr } = await execa("node", [cli.main, "apply", ...flags, "--spec", spec], {
      reject: false,
      env: {
        PROVISION_HOME: home,
        HOME: home,
        APP_TOKEN: secrets.env,
        NODE_OPTIONS: `--import=${bug}`,
      },
    });

    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/error BUG {2}outside of any command\nError: a bug at \*\*\*\n/);
    expectNothingTold(stdout + stderr);
  });

  it.each(sinks)("are told by no plan, of what comes or of what is there, with [%s %s]", async (...sink) => {
    const before = await provision(specOf(), "apply", ...flags, "--check", ...sink);
    await provision(specOf(), "apply", ...flags);
    await writeFile(at("file"), "tampered with\n");
    const after = await provision(specOf(), "apply", ...flags, "--check", ...sink);

    expect([before.exitCode, after.exitCode]).toEqual([3, 3]);
    expect(after.log).toContain("other content -> the secret");
    expectNothingTold(said(before) + said(after));
    expect(said(after)).not.toContain("tampered");
  });

  it.each(sinks)("are hidden when a program prints them and fails, with [%s %s]", async (...sink) => {
    const print = [
      `cd ${join(home, "target")}`,
      "cat file env command",
      "base64 file; base64 -w0 env; tr -d '\\n' <command | base64",
      'set -x; : "$(cat file)" "$(cat env)"; set +x',
      // A terminal would show this without the escape in its middle.
      "sed 's/ b/ \\x1b[1mb/' command",
      'echo "user:$(cat env)" | base64 -w0; echo',
      // So much that the end that an error shows begins within a secret.
      "i=0; while [ $i -lt 300 ]; do tr '\\n' ' ' <command; i=$((i + 1)); done; echo",
      "echo the end; cat command; exit 7",
    ].join("\n");
    const leak = `  - command: {name: leak, argv: [bash, -c, ${JSON.stringify(print)}], creates: /nowhere/at/all}`;

    const run = await provision(specOf(leak), "apply", ...flags, ...sink);

    expect(run.exitCode).toBe(5);
    expect(run.out + run.err).toContain("the end");
    expect(run.out + run.err).toContain("***");
    expectNothingTold(said(run));
  });

  it.each([
    ["{env: NOT_SET}", 'the variable "NOT_SET": must be set, is not'],
    ["{file: nowhere}", 'the file "nowhere": must be a file in '],
    ["{command: [sh, -c, 'cat password; exit 3']}", "must exit 0, is 3"],
    ["{env: SHORT}", "must have 4 characters at least"],
  ])("are asked for with one error that names %s, its place and the mend", async (secret, reason) => {
    const { exitCode, err, out, log } = await provision(
      specOf(`  - file: {path: ${at("more")}, secret: ${secret}}`),
      "apply",
      ...flags,
    );

    expect(exitCode).toBe(2);
    expect(err).toMatch(/error SECRET_UNAVAILABLE {2}specs\/web\.yaml:7:5\n/);
    expect(err).toContain(reason);
    expect(err).toMatch(/\n {2}mend: /);
    expectNothingTold(out + err + log);
    await expect(stat(at("more"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("are not asked for when no use that is settled wants them", async () => {
    const missing = `  - file: {path: ${at("more")}, secret: {env: NOT_SET}}`;

    const { exitCode } = await provision(specOf(missing), "apply", ...flags, "--only", "directory");

    expect(exitCode).toBe(0);
  });

  it("are refused where an image is built, before anything is asked", async () => {
    const run = await provision(specOf(), "validate", "web", "--log", join(home, "log"));

    expect(run.exitCode).toBe(2);
    expect(run.err).toMatch(/error SPEC_INVALID {2}3 complaints\n/);
    expect(run.err).toContain('must be nobody\'s, brings a secret (the variable "APP_TOKEN")');
    expectNothingTold(run.out + run.err);
  });
});
