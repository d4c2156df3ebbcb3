import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import type { ConnectOptions, SshStage } from "../../src/provisioner/host/connect-options.ts";
import { parsePublicKey, fingerprint } from "../../src/provisioner/host/known-hosts.ts";
import { dialThrough } from "../../src/provisioner/host/dial.ts";
import { connectSsh } from "../../src/provisioner/host/ssh-connect.ts";
import type { SshConnection } from "../../src/provisioner/host/ssh-connection.ts";
import { readTarget, type SshTarget } from "../../src/provisioner/host/ssh-target.ts";
import { startCutProxy } from "../support/cut-proxy.ts";
import { makeKey, publicKeyOf, startSshServer, type SshServer } from "../support/ssh-server.ts";

const exec = promisify(execFile);

// Real servers and real users, on machines that are busy with other things.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let dir: string;
let server: SshServer;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "provision-connect-"));
  server = await startSshServer({ hostKeyTypes: ["ed25519", "ecdsa", "rsa"] });
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
});

function connect(target: SshTarget, options: Partial<ConnectOptions> = {}): Promise<SshConnection> {
  return connectSsh(target, { signal: new AbortController().signal, ...options });
}

/** Everything a program prints. */
async function outputOf(connection: SshConnection, line: string): Promise<string> {
  const channel = await connection.open(line);
  let text = "";
  channel.onOutput((bytes) => (text += bytes.toString()));
  await channel.closed;
  return text;
}

/** A target whose key is in a file and whose machine is in known_hosts, as users have them. */
async function userTarget(overrides: Partial<SshTarget> = {}): Promise<SshTarget> {
  const knownHosts = join(dir, `known-${Math.random()}`);
  await writeFile(knownHosts, server.knownHosts);
  const { hostKey: _hostKey, privateKey: _privateKey, ...rest } = server.target();
  return {
    ...rest,
    knownHosts: [knownHosts],
    identityFiles: [join(dir, "absent"), server.keyFile],
    identitiesOnly: false,
    ...overrides,
  };
}

describe("logging in", () => {
  it("runs programs as the user when host key and login key are given", async () => {
    await using connection = await connect(server.target());

    expect(await outputOf(connection, "whoami")).toBe(`${server.user}\n`);
  });

  it("takes key and host key from files", async () => {
    await using connection = await connect(await userTarget());

    expect(await outputOf(connection, "echo in")).toBe("in\n");
  });

  it("tells how far it came", async () => {
    const stages: SshStage[] = [];

    await using connection = await connect(server.target(), { onStage: (stage) => stages.push(stage) });

    expect(connection.name).toBe(`${server.user}@127.0.0.1:${server.port}`);
    expect(stages).toEqual(["tcp", "greeting", "host key", "login"]);
  });

  it.each(["ecdsa", "rsa"] as const)(
    "asks for the %s host key when known_hosts has that one only",
    async (type) => {
      const known = join(dir, `only-${type}`);
      const line = server.knownHosts
        .split("\n")
        .find((text) => text.includes(` ${type === "rsa" ? "ssh-rsa" : "ecdsa-"}`));
      await writeFile(known, `${line}\n`);

      await using connection = await connect(await userTarget({ knownHosts: [known] }));

      expect(await outputOf(connection, "echo in")).toBe("in\n");
    },
  );
});

describe("with an agent", () => {
  let agent: ReturnType<typeof spawn>;
  let socket: string;
  let locked: string;

  beforeAll(async () => {
    socket = join(dir, "agent.sock");
    agent = spawn("/usr/bin/ssh-agent", ["-D", "-a", socket], { stdio: ["ignore", "pipe", "ignore"] });
    await once(agent.stdout ?? agent, "data");
    locked = join(dir, "locked");
    await makeKey(locked, "ed25519", "a passphrase");
    const other = join(dir, "other");
    await makeKey(other, "ecdsa");
    const env = { ...process.env, SSH_AUTH_SOCK: socket };
    await exec("ssh-add", [other], { env });
    await exec("ssh-add", [server.keyFile], { env });
  });

  afterAll(async () => {
    agent.kill();
    await once(agent, "close");
  });

  it("logs in with a key that only the agent holds", async () => {
    await using connection = await connect(await userTarget({ identityFiles: [], agent: socket }));

    expect(await outputOf(connection, "echo in")).toBe("in\n");
  });

  it("offers only the named key when IdentitiesOnly is set", async () => {
    const target = { identityFiles: [`${join(dir, "other")}.pub`], identitiesOnly: true, agent: socket };

    const refused = await connect(await userTarget(target)).catch((error: unknown) => error);

    expect(refused).toMatchObject({
      code: "LOGIN_REFUSED",
      facts: { tried: `${join(dir, "other")}.pub (agent)` },
    });
  });

  it("uses the agent's key for a locked file that the agent holds", async () => {
    const sealed = join(dir, "sealed");
    await exec("cp", [server.keyFile, sealed]);
    await exec("ssh-keygen", ["-q", "-p", "-N", "a passphrase", "-f", sealed]);

    await using connection = await connect(
      await userTarget({ identityFiles: [sealed], identitiesOnly: true, agent: socket }),
    );

    expect(await outputOf(connection, "echo in")).toBe("in\n");
  });

  it("logs in by file when the agent is dead", async () => {
    await using connection = await connect(await userTarget({ agent: join(dir, "no.sock") }));

    expect(await outputOf(connection, "echo in")).toBe("in\n");
  });

  it("names the locked file and ssh-add when nothing can unlock it", async () => {
    const target = await userTarget({ identityFiles: [locked] });

    await expect(connect(target)).rejects.toMatchObject({
      code: "KEY_ENCRYPTED",
      mend: expect.stringContaining(`ssh-add "${locked}"`) as string,
    });
  });

  it("names the locked file when another key was refused", async () => {
    const target = await userTarget({ identityFiles: [locked, join(dir, "other")] });

    await expect(connect(target)).rejects.toMatchObject({ code: "KEY_ENCRYPTED", facts: { file: locked } });
  });
});

describe("refusals", () => {
  it("says which keys were tried when none fits", async () => {
    const wrong = join(dir, "wrong");
    await makeKey(wrong, "rsa");

    await expect(connect(await userTarget({ identityFiles: [wrong] }))).rejects.toMatchObject({
      code: "LOGIN_REFUSED",
      exitCode: 4,
      facts: { tried: wrong, takes: "publickey" },
    });
  });

  it("says so when there is no key at all", async () => {
    const target = await userTarget({ identityFiles: [] });

    await expect(connect(target)).rejects.toMatchObject({
      code: "LOGIN_REFUSED",
      facts: { tried: expect.stringContaining("no key") as string },
    });
  });

  it("says so when the server counts too many attempts", async () => {
    await using strict = await startSshServer({ config: ["MaxAuthTries 1"] });
    const files = ["w1", "w2", "w3"].map((name) => join(dir, name));
    await Promise.all(files.map((file) => makeKey(file, "ed25519")));
    const { privateKey: _, ...target } = strict.target({ identityFiles: files });

    await expect(connect(target)).rejects.toMatchObject({
      code: "LOGIN_REFUSED",
      facts: { takes: expect.stringContaining("Too many authentication failures") as string },
    });
  });

  it("knows a user the machine does not have from a machine that is away", async () => {
    const target = server.target({ user: "nobody-of-that-name" });

    await expect(connect(target)).rejects.toMatchObject({
      code: "LOGIN_REFUSED",
      facts: { user: "nobody-of-that-name" },
    });
  });

  it("refuses a file that is no key", async () => {
    const file = join(dir, "no-key");
    await writeFile(file, "hello\n");

    await expect(connect(await userTarget({ identityFiles: [file] }))).rejects.toMatchObject({
      code: "KEY_UNREADABLE",
      facts: { file },
    });
  });

  it("never logs in when the host key differs", async () => {
    await makeKey(join(dir, "foreign"), "ed25519");
    const foreign = await publicKeyOf(join(dir, "foreign"));
    const before = await server.log();

    const error: unknown = await connect(server.target({ hostKey: foreign })).catch(
      (reason: unknown) => reason,
    );

    expect(error).toMatchObject({ code: "HOST_KEY_DIFFERS", exitCode: 4 });
    for (const key of [foreign, server.hostKey])
      expect(String(error)).toContain(fingerprint(parsePublicKey(key)?.blob ?? Buffer.alloc(0)));
    expect((await server.log()).slice(before.length)).not.toContain("Accepted");
  });

  it("never logs in when the host key is unknown", async () => {
    const target = await userTarget({ knownHosts: [join(dir, "absent")] });

    await expect(connect(target)).rejects.toMatchObject({
      code: "HOST_KEY_UNKNOWN",
      mend: expect.stringContaining(server.hostKey) as string,
    });
  });
});

describe("networks", () => {
  it("knows a closed port", async () => {
    await expect(connect(server.target({ port: 1 }))).rejects.toMatchObject({ code: "SSH_REFUSED" });
  });

  it("knows a name without an address", async () => {
    await expect(connect(server.target({ host: "db1.invalid" }))).rejects.toMatchObject({
      code: "SSH_UNREACHABLE",
    });
  });

  it("knows a server that is silent", async () => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const port = (silent.address() as { port: number }).port;

    const error: unknown = await connect(server.target({ port }), { handshakeTimeoutMs: 200 }).catch(
      (reason: unknown) => reason,
    );

    expect(error).toMatchObject({ code: "SSH_TIMED_OUT", facts: { stage: "the server's greeting" } });
    silent.close();
  });

  it("knows a server that speaks something else", async () => {
    const web = createServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
    const port = (web.address() as { port: number }).port;

    const error: unknown = await connect(server.target({ port })).catch((reason: unknown) => reason);

    expect(error).toMatchObject({ code: "SSH_HANDSHAKE_FAILED" });
    web.close();
  });

  it("knows a black hole in the key exchange", async () => {
    await using proxy = await startCutProxy({ port: server.port });
    void proxy.after(100, "down", "stall");

    await expect(
      connect(server.target({ port: proxy.port }), { handshakeTimeoutMs: 300 }),
    ).rejects.toMatchObject({ code: "SSH_TIMED_OUT", facts: { stage: "the key exchange" } });
  });

  it.each([10, 500, 1500])("knows a cut after %i bytes of the handshake", async (bytes) => {
    await using proxy = await startCutProxy({ port: server.port });
    void proxy.after(bytes, "down", "cut");

    await expect(connect(server.target({ port: proxy.port }))).rejects.toMatchObject({
      code: "SSH_HANDSHAKE_FAILED",
    });
  });

  it.each([undefined, 10, 1500])("stops at once when told to, after %s bytes", async (bytes) => {
    await using proxy = await startCutProxy({ port: server.port });
    const stop = new AbortController();
    const reason = new Error("told to stop");
    if (bytes === undefined) stop.abort(reason);
    else void proxy.after(bytes, "down", "stall").then(() => stop.abort(reason));

    await expect(connect(server.target({ port: proxy.port }), { signal: stop.signal })).rejects.toBe(reason);
  });
});

describe("jump hosts", () => {
  it("goes through two of them, each with its own key checked", async () => {
    await using edge = await startSshServer();
    await using inner = await startSshServer();
    const target = server.target({ jumps: [edge.target(), inner.target()] });

    await using connection = await connect(target);

    expect(await outputOf(connection, "echo $SSH_CONNECTION")).toContain("127.0.0.1");
    expect(await edge.log()).toContain("Accepted publickey");
    expect(await inner.log()).toContain("Accepted publickey");
  });

  it("refuses a jump host whose key differs, and goes no further", async () => {
    await using edge = await startSshServer();
    const before = (await server.log()).length;

    const going = connect(server.target({ jumps: [edge.target({ hostKey: server.hostKey })] }));

    await expect(going).rejects.toMatchObject({
      code: "HOST_KEY_DIFFERS",
      facts: { host: `${edge.user}@127.0.0.1:${edge.port}` },
    });
    expect((await server.log()).slice(before)).toBe("");
  });

  it("names the jump host when it cannot reach the target", async () => {
    const going = connect(server.target({ port: 1, jumps: [server.target()] }));

    await expect(going).rejects.toMatchObject({
      code: "SSH_UNREACHABLE",
      message: expect.stringContaining(
        `jump host ${server.user}@127.0.0.1:${server.port} says: Connection refused`,
      ) as string,
    });
  });

  it("gives up in time when the jump host does not answer", async () => {
    await using proxy = await startCutProxy({ port: server.port });
    await using jump = await connect(server.target({ port: proxy.port }));
    proxy.stall();

    await expect(
      dialThrough(jump, server.target(), { timeoutMs: 100, signal: new AbortController().signal }),
    ).rejects.toMatchObject({ code: "SSH_TIMED_OUT" });
    proxy.resume();
  });

  it("stops at once when told to while the jump host does not answer", async () => {
    await using proxy = await startCutProxy({ port: server.port });
    await using jump = await connect(server.target({ port: proxy.port }));
    proxy.stall();
    const stop = new AbortController();
    const reason = new Error("told to stop");

    const dialling = dialThrough(jump, server.target(), { timeoutMs: 60_000, signal: stop.signal });
    stop.abort(reason);

    await expect(dialling).rejects.toBe(reason);
    proxy.resume();
  });

  it("does what ssh_config says: alias, port, user, key, known hosts and jump host", async () => {
    await using edge = await startSshServer();
    const known = join(dir, "known-both");
    await writeFile(known, edge.knownHosts + server.knownHosts);
    const blocks = [edge, server].map(
      ({ port, user, keyFile }, index) =>
        `Host hop${index}\n HostName 127.0.0.1\n Port ${port}\n User ${user}\n IdentityFile ${keyFile}\n`,
    );
    const configFile = join(dir, "config");
    const rest = `Host hop1\n ProxyJump hop0\nHost *\n IdentitiesOnly yes\n UserKnownHostsFile ${known}\n`;
    await writeFile(configFile, [...blocks, rest].join(""));
    const target = await readTarget("hop1", { home: dir, user: "nobody", env: {}, configFile });

    await using connection = await connect(target);

    expect(await outputOf(connection, "whoami")).toBe(`${server.user}\n`);
    expect(await edge.log()).toContain("Accepted publickey");
  });

  it("notices when the jump host is lost", async () => {
    await using edge = await startSshServer();
    await using connection = await connect(server.target({ jumps: [edge.target()] }));

    await edge.killSessions();

    expect(await connection.lost).toContain("the connection broke");
  });
});

describe("keep-alive", () => {
  it("gives a black hole up after the signs of life it asked for stayed out", async () => {
    await using proxy = await startCutProxy({ port: server.port });
    await using connection = await connect(server.target({ port: proxy.port }), {
      keepAliveMs: 50,
      keepAliveCount: 3,
    });
    const channel = await connection.open("exec cat");

    proxy.stall();

    expect(await channel.closed).toBe("the connection broke: Keepalive timeout");
    await expect(channel.write(Buffer.from("x"))).rejects.toMatchObject({ name: "HostLost" });
    await expect(connection.open("true")).rejects.toMatchObject({ name: "HostLost" });
  });
});
