import { createHash, randomBytes } from "node:crypto";
import { execFile } from "node:child_process";
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import type { Channel, Connection } from "../../src/provisioner/host/channel.ts";
import { raise, type RaiseOptions } from "../../src/provisioner/host/raise.ts";
import { connectSsh } from "../../src/provisioner/host/ssh-connect.ts";
import { startSshServer, type SshServer } from "../support/ssh-server.ts";
import { makeSystemUser, whyNoSystemUser, type SystemUser } from "../support/system-user.ts";

const free = "USER ALL=(ALL) NOPASSWD:ALL";
const asking = "USER ALL=(ALL) ALL";
const exec = promisify(execFile);
// Real servers and real users, on machines that are busy with other things.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const go = new AbortController().signal;
const why = whyNoSystemUser(["/usr/bin/sudo"]);
if (why !== undefined) process.stderr.write(`skipped: sudo over SSH: ${why}\n`);
const whyNoCsh = why ?? whyNoSystemUser(["/bin/csh"]);
if (whyNoCsh !== undefined) process.stderr.write(`skipped: csh as login shell: ${whyNoCsh}\n`);

const password = "p4ss \"word' $HOME %p \\";
let user: SystemUser;
let server: SshServer;

interface Login extends AsyncDisposable {
  readonly connection: Connection;
  readonly dir: string;
  readonly user: string;
}

/** The user of these tests, or another one, logged in, with these lines in sudoers. */
async function login(
  sudoers: readonly string[],
  options: RaiseOptions = {},
  { as = user, at = server }: { as?: SystemUser; at?: SshServer } = {},
): Promise<Login> {
  await as.allow(sudoers);
  const connection = raise(await connectSsh(at.target(), { signal: go }), options);
  return {
    connection,
    dir: at.dir,
    user: as.name,
    [Symbol.asyncDispose]: async () => connection[Symbol.asyncDispose](),
  };
}

async function temporary(parent: string): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(parent, "provision-raise-"));
  await chmod(path, 0o755);
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** A server whose logins find this script when they look for sudo. */
async function withSudo(
  script: string,
  env: readonly string[] = [],
): Promise<{ server: SshServer } & AsyncDisposable> {
  const folder = await temporary("/tmp");
  await writeFile(join(folder.path, "sudo"), script, { mode: 0o755 });
  const path = `PATH=${folder.path}:/usr/bin:/bin`;
  const made = await startSshServer({ user: user.name, env: [path, ...env] });
  return {
    server: made,
    async [Symbol.asyncDispose]() {
      await made[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** What a program prints until it ends, or until that much has come: then it is closed. */
async function outputOf(channel: Channel, enough?: string): Promise<string> {
  let text = "";
  channel.onOutput((bytes) => {
    text += bytes.toString("latin1");
    if (enough !== undefined && text.length >= enough.length) channel.close();
  });
  await channel.closed;
  return text;
}

describe.skipIf(why !== undefined)("raise by sudo", () => {
  beforeAll(async () => {
    user = await makeSystemUser({ password });
    server = await startSshServer({ user: user.name });
  });

  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await user[Symbol.asyncDispose]();
  });

  it.each([
    { name: "plain", sudoers: [] },
    { name: "use_pty", sudoers: ["Defaults:USER use_pty"] },
    { name: "log_output", sudoers: ["Defaults:USER log_output", "Defaults:USER iolog_dir=/var/tmp/USER-io"] },
    {
      name: "log_input, log_output and use_pty",
      sudoers: ["Defaults:USER use_pty, log_input, log_output", "Defaults:USER iolog_dir=/var/tmp/USER-io"],
    },
  ])("runs as root with NOPASSWD, any bytes both ways, with $name", async ({ sudoers }) => {
    await using at = await login([free, ...sudoers]);
    const sent = randomBytes(1_000_000);

    const who = await outputOf(await at.connection.open("id -u; echo err >&2; read wait"), "0\n");
    // It waits at its end: sudo's I/O logging drops what is still in its pipes when a program ends (1.9.13).
    const flood = "head -c 500000 /dev/zero | tr '\\0' '\\377'; read wait";
    const echo = await at.connection.open(`head -c ${sent.length} | sha256sum; ${flood}`);
    const hash = createHash("sha256").update(sent).digest("hex");
    const wanted = `${hash}  -\n${"\xff".repeat(500_000)}`;
    const heard = outputOf(echo, wanted);
    await echo.write(sent);
    const same = (await heard) === wanted;
    await rm(`/var/tmp/${at.user}-io`, { recursive: true, force: true });

    expect(who).toBe("0\n");
    // Not compared by `toBe`, which would print half a megabyte.
    expect(same).toBe(true);
  });

  it("sends the password after the prompt, once per program", async () => {
    await using at = await login([asking], { sudoPassword: password });

    const channel = await at.connection.open("id -u; cat; echo 'on stderr' >&2");
    const heard = outputOf(channel, "0\nfirst line of input\n");
    const again = await outputOf(await at.connection.open("id -u"));
    await channel.write(Buffer.from("first line of input\n"));

    expect(again).toBe("0\n");
    expect(await heard).toBe("0\nfirst line of input\n");
  });

  it("keeps the password off every command line and environment", async () => {
    await using at = await login([asking], { sudoPassword: password });

    const seen = await outputOf(
      await at.connection.open("cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null"),
    );

    expect(seen).toContain("provision-raised");
    // This process holds it in memory, not in its arguments or environment.
    expect(seen).not.toContain(password);
  });

  it("does not send the password to a program when sudo wants none", async () => {
    await using at = await login([free], { sudoPassword: "unneeded" });
    const channel = await at.connection.open("head -c 5");
    const heard = outputOf(channel);

    await channel.write(Buffer.from("input"));

    expect(await heard).toBe("input");
  });

  it("shows the program's standard error, not the conversation with sudo", async () => {
    await using at = await login([asking], { sudoPassword: password });
    const channel = await at.connection.open("echo its own words >&2");

    await outputOf(channel);

    expect(channel.stderrTail()).toBe("its own words\n");
  });

  it("refuses a wrong password in 5 s, and never sends it again", async () => {
    await using at = await login([asking], { sudoPassword: "bad" });
    const started = performance.now();

    await expect(at.connection.open("id")).rejects.toMatchObject({
      code: "RAISE_PASSWORD_WRONG",
      exitCode: 4,
    });
    const took = performance.now() - started;
    const secondStarted = performance.now();
    await expect(at.connection.open("id")).rejects.toMatchObject({ code: "RAISE_PASSWORD_WRONG" });

    expect(took).toBeLessThan(5000);
    expect(performance.now() - secondStarted).toBeLessThan(100);
  });

  it.each([
    { name: "sudo wants a password and none is given", sudoers: [asking], code: "RAISE_PASSWORD_NEEDED" },
    { name: "the user is not in sudoers", sudoers: [], sudoPassword: password, code: "RAISE_REFUSED" },
    {
      name: "only one program is allowed",
      sudoers: ["USER ALL=(ALL) NOPASSWD: /usr/bin/id"],
      sudoPassword: password,
      code: "RAISE_REFUSED",
    },
    { name: "requiretty is set", sudoers: [free, "Defaults:USER requiretty"], code: "RAISE_NEEDS_TTY" },
  ])("is refused with $code when $name", async ({ code, sudoers, sudoPassword }) => {
    await using at = await login(sudoers, { sudoPassword });
    const started = performance.now();

    await expect(at.connection.open("id")).rejects.toMatchObject({ code, facts: { user: at.user } });

    expect(performance.now() - started).toBeLessThan(5000);
  });

  it("shows what the shell said when the account cannot log in", async () => {
    await using as = await makeSystemUser({ shell: "/usr/sbin/nologin" });
    await using guarded = await startSshServer({ user: as.name });
    await using at = await login([free], {}, { as, at: guarded });

    await expect(at.connection.open("id")).rejects.toMatchObject({
      code: "RAISE_FAILED",
      facts: { user: as.name },
    });
  });

  it("gives up when sudo stays silent", async () => {
    await using slow = await withSudo("#!/bin/sh\nexec sleep 60\n");
    await using at = await login([free], { timeoutMs: 300 }, { at: slow.server });

    await expect(at.connection.open("id")).rejects.toMatchObject({
      code: "RAISE_FAILED",
      message: expect.stringContaining("did not answer within 1 s") as string,
    });
  });

  it("speaks with sudo in the C locale, whatever the login's is", async () => {
    const script = '#!/bin/sh\necho "LC_ALL=$LC_ALL LANGUAGE=$LANGUAGE" >&2\nexit 1\n';
    await using foreign = await withSudo(script, ["LC_ALL=de_DE.UTF-8", "LANGUAGE=de"]);
    await using at = await login([free], {}, { at: foreign.server });

    await expect(at.connection.open("id")).rejects.toMatchObject({ facts: { said: "LC_ALL=C LANGUAGE=" } });
  });

  it("says so when there is no sudo", async () => {
    // A world with a shell and nothing else; sshd wants every folder above it to be root's alone.
    await using folder = await temporary("/run");
    const { stdout } = await exec("ldd", ["/bin/sh"]);
    const files = ["/bin/sh", ...[...stdout.matchAll(/\/\S+/g)].map(([file]) => file)];
    for (const file of files) {
      await mkdir(dirname(folder.path + file), { recursive: true });
      await copyFile(file, folder.path + file);
    }
    const config = [`ChrootDirectory ${folder.path}`];
    await using bare = await startSshServer({ user: user.name, config });
    await using at = await login([free], {}, { at: bare });

    await expect(at.connection.open("id")).rejects.toMatchObject({ code: "RAISE_NO_SUDO" });
  });

  it("copies files to where only root may write", async () => {
    await using at = await login([free]);
    const source = join(at.dir, "source");
    await writeFile(source, randomBytes(3_000_000));
    const path = `/root/${at.user}`;

    await at.connection.upload(source, path, go);
    const [copied, wanted, { mode, uid }] = await Promise.all([readFile(path), readFile(source), stat(path)]);
    await rm(path);

    expect(copied.equals(wanted)).toBe(true);
    expect({ mode: mode & 0o7777, uid }).toEqual({ mode: 0o600, uid: 0 });
  });
});

describe.skipIf(whyNoCsh !== undefined)("raise from a csh login", () => {
  beforeAll(async () => {
    user = await makeSystemUser({ shell: "/bin/csh" });
    server = await startSshServer({ user: user.name });
  });

  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await user[Symbol.asyncDispose]();
  });

  it("runs as root with arguments as they are", async () => {
    await using at = await login([free]);

    const text = await outputOf(await at.connection.open(`printf '%s|' "a b" '$HOME' "it's" '*'; id -u`));

    expect(text).toBe("a b|$HOME|it's|*|0\n");
  });

  it("copies files", async () => {
    await using at = await login([free]);
    const source = join(at.dir, "source");
    await writeFile(source, "text");

    await at.connection.upload(source, join(at.dir, "target"), go);

    expect(await readFile(join(at.dir, "target"), "utf8")).toBe("text");
  });
});
