import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { runProgram } from "../../src/provisioner/cli/program.ts";
import { readDistribution } from "../../src/provisioner/core/distribution.ts";
import { fakeShell } from "../support/fake-shell.ts";
import { makeKey, startSshServer } from "../support/ssh-server.ts";
import type { SshServer } from "../support/ssh-server.ts";

// The worker is root's: as somebody else it would need sudo on the machine of the tests.
const isRoot = process.getuid?.() === 0;

describe.skipIf(!isRoot)("provision apply (skipped unless root)", () => {
  let home: string;
  let server: SshServer;
  let flags: readonly string[];

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), "provision-apply-"));
    server = await startSshServer();
    flags = ["--spec", "web", ...server.login];
    await mkdir(join(home, "specs"));
    await writeFile(join(home, "specs/bytes.bin"), Buffer.from([0, 255, 10, 13]));
    await mkdir(join(home, "templates"));
    await writeFile(join(home, "templates/hello.hbs"), "hello {{who}} from {{place}}\n");
  }, 30_000);

  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await rm(home, { recursive: true });
  });

  beforeEach(async () => {
    await rm(join(home, "target"), { recursive: true, force: true });
    const at = (name: string) => join(home, "target", name);
    await writeFile(
      join(home, "specs/web.yaml"),
      `base: debian-13
variables: {place: here}
tasks:
  - directory: {path: ${join(home, "target")}}
  - file: {path: ${at("text")}, content: "one\\ntwo\\n"}
  - file: {path: ${at("filled")}, template: hello, variables: {who: you}}
  - file: {path: ${at("bytes")}, source: bytes.bin, mode: "0600"}
`,
    );
  });

  async function provision(...args: string[]) {
    const shell = fakeShell(home, { PROVISION_HOME: home });
    const exitCode = await runProgram(args, shell);
    return { exitCode, out: shell.out.join(""), err: shell.err.join("") };
  }

  it("changes what differs, then finds it as wanted in one flight", async () => {
    const first = await provision("apply", ...flags);
    const second = await provision("apply", ...flags);

    expect(first).toMatchObject({ exitCode: 0 });
    expect(first.out).toMatch(/: 4 of 4 uses changed, as wanted now\n$/);
    expect(await readFile(join(home, "target/filled"), "utf8")).toBe("hello you from here\n");
    expect(await readFile(join(home, "target/bytes"))).toEqual(Buffer.from([0, 255, 10, 13]));
    expect(second).toMatchObject({ exitCode: 0 });
    expect(second.out).toMatch(/: as wanted, 4 uses\n$/);
    expect(second.err).toMatch(/\n0 changes, 4 ok, 1 flight, \d/);
  });

  it("changes nothing with plan, names every change and ends 3", async () => {
    const planned = await provision("plan", "apply", ...flags);

    expect(planned).toMatchObject({ exitCode: 3 });
    expect(planned.err).toContain(`would change file ${join(home, "target/text")}`);
    expect(planned.err).toContain("+one\n");
    expect(planned.err).toMatch(/\n\d changes to make, /);
    await expect(readFile(join(home, "target/text"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("settles only what --only names, without what --skip names", async () => {
    const { exitCode, out } = await provision(
      "apply",
      ...flags,
      "--only",
      "directory",
      "file*",
      "--skip",
      "*/bytes",
    );

    expect(exitCode).toBe(0);
    expect(out).toContain("3 of 3 uses changed");
    expect((await provision("apply", ...flags, "--check")).out).toContain("1 of 4 uses would change");
  });

  it("names the nearest use when a pattern means none", async () => {
    expect(await provision("apply", ...flags, "--only", "direktory")).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining('mend: Name "directory"') as string,
    });
  });

  it("refuses a sysctl that the kernel does not know, with its place in the spec", async () => {
    await writeFile(
      join(home, "specs/web.yaml"),
      "base: debian-13\ntasks:\n  - sysctl: {key: kernel.none, value: '1'}\n",
    );

    const { exitCode, err } = await provision("apply", ...flags);

    expect(exitCode).toBe(5);
    expect(err).toContain("error TASK_REFUSED");
    expect(err).toContain("specs/web.yaml:3:5");
    expect(err).toContain('the kernel does not know the setting "kernel.none"');
  });

  it("settles what is for the machine's distribution alone, in one flight", async () => {
    const { id = "" } = readDistribution(await readFile("/etc/os-release", "utf8")) ?? {};
    const [own, other] = id === "ubuntu" ? ["ubuntu", "debian"] : ["debian", "ubuntu"];
    const at = join(home, "target");
    await writeFile(
      join(home, "specs/web.yaml"),
      `base: debian-13
tasks:
  - directory: {path: ${at}}
  - file: {path: ${at}/which, content: other}
    when: {distribution: [${other}]}
  - file: {path: ${at}/which, content: own}
    when: {distribution: [${own}]}
  - sysctl: {key: kernel.none, value: "1"}
    when: {distribution: [${other}]}
`,
    );

    const first = await provision("apply", ...flags);
    const second = await provision("apply", ...flags);

    expect(first.out).toMatch(/: 2 of 2 uses changed, as wanted now\n$/);
    expect(await readFile(join(at, "which"), "utf8")).toBe("own");
    expect(second.err).toMatch(/\n0 changes, 2 ok, 2 for other distributions, 1 flight, \d/);
  });

  it("takes no host key on trust and ends 4", async () => {
    await writeFile(join(home, "empty"), "");

    const { exitCode, err } = await provision("apply", ...flags, "--known-hosts", join(home, "empty"));

    expect(exitCode).toBe(4);
    expect(err).toContain("error HOST_KEY_UNKNOWN");
  });

  it("names both keys when the host key is another one, and never logs in", async () => {
    const { hostKey, port } = server;
    const other = `${hostKey.slice(0, -8)}AAAAAAAA`;
    await writeFile(join(home, "other"), `[127.0.0.1]:${port} ${other}\n`);

    const { exitCode, err } = await provision("apply", ...flags, "--known-hosts", join(home, "other"));

    expect(exitCode).toBe(4);
    expect(err).toMatch(
      /error HOST_KEY_DIFFERS\n {2}Cannot trust .*: its host key must be SHA256:.*, is SHA256:/s,
    );
    expect(err).toMatch(/\n {2}mend: Find out why the key changed: .*ssh-keygen -f /);
  });

  it("says whom the machine refuses when the key is wrong", async () => {
    await makeKey(join(home, "wrong"), "ed25519");

    const { exitCode, err } = await provision("apply", ...flags, "--identity", join(home, "wrong"));

    expect(exitCode).toBe(4);
    expect(err).toMatch(
      /error LOGIN_REFUSED\n {2}Cannot log in to .*: "root" must have a key the machine knows/,
    );
    expect(err).toMatch(
      /\n {2}mend: Check the user name; add your public key to ~root\/\.ssh\/authorized_keys/,
    );
  });

  it("says so when nothing listens", async () => {
    await using gone = await startSshServer();
    const { port } = gone;
    await gone[Symbol.asyncDispose]();

    const { exitCode, err } = await provision("apply", ...flags, "--target", `root@127.0.0.1:${port}`);

    expect(exitCode).toBe(4);
    expect(err).toMatch(/error SSH_REFUSED\n .*\n {2}mend: Start the machine's SSH server/);
  });

  it("names the use, its place, the program's last words and the mend when a program fails", async () => {
    const argv = '[sh, -c, "echo E: Unable to locate package nosuch >&2; exit 100"]';
    await writeFile(
      join(home, "specs/web.yaml"),
      `base: debian-13\ntasks:\n  - command: {name: broken, argv: ${argv}, creates: /nowhere/at/all}\n  - directory: {path: ${home}/target}\n`,
    );

    const { exitCode, err } = await provision("apply", ...flags);

    expect(exitCode).toBe(5);
    expect(err).toMatch(
      /error ACTION_FAILED {2}specs\/web\.yaml:3:5\n {2}Cannot settle command broken: `sh -c .*must exit 0, is 100\n {2}E: Unable to locate package nosuch\n {2}mend: Correct "nosuch" in the spec/s,
    );
    await expect(readFile(join(home, "target"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("says which password file it cannot read", async () => {
    const { exitCode, err } = await provision("apply", ...flags, "--sudo-password-file", "nowhere");

    expect(exitCode).toBe(2);
    expect(err).toContain("nowhere must be a readable file, is not (ENOENT)");
  });

  it("asks for a password only on a terminal", async () => {
    expect(await provision("apply", ...flags, "--ask-sudo-password")).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining("standard input must be a terminal") as string,
    });
  });
});
