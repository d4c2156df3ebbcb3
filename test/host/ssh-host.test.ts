import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Errand, Host, OnOutput, Order } from "../../src/provisioner/core/host.ts";
import { run, write } from "../../src/provisioner/core/task.ts";
import { connectSsh } from "../../src/provisioner/host/ssh-connect.ts";
import { openSshHost, type SshHostOptions } from "../../src/provisioner/host/ssh-host.ts";
import type { SshTarget } from "../../src/provisioner/host/ssh-target.ts";
import { rejection } from "../support/local-worker.ts";
import { startCutProxy, type CutProxy } from "../support/cut-proxy.ts";
import { startSshServer, type SshServer } from "../support/ssh-server.ts";
import { makeSystemUser, whyNoSystemUser } from "../support/system-user.ts";

// Real servers and real users, on machines that are busy with other things.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const go = new AbortController().signal;
const why = whyNoSystemUser(["/usr/bin/sudo"]);
if (why !== undefined) process.stderr.write(`skipped: hosts over sshd: ${why}\n`);
const whyNoCsh = why ?? whyNoSystemUser(["/bin/csh"]);
if (whyNoCsh !== undefined) process.stderr.write(`skipped: hosts over csh: ${whyNoCsh}\n`);

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "provision-host-"));
  await writeFile(join(dir, "boot-id"), "11111111-0000-0000-0000-000000000000\n");
});

afterEach(() => rm(dir, { recursive: true, force: true }));

function openHost(target: SshTarget, overrides: Partial<SshHostOptions> = {}): Promise<Host> {
  return openSshHost({
    name: `${target.user}@${target.host}:${target.port}`,
    connect: () => connectSsh(target, { signal: go }),
    run: "run-1",
    signal: go,
    pauseMs: 20,
    worker: { root: join(dir, "run"), bootIdFile: join(dir, "boot-id") },
    ...overrides,
  });
}

function orders(...actions: readonly Errand[]): readonly Order[] {
  return actions.map((action, index) => ({ id: `order-${index}`, action }));
}

/** A detached run that notes its start, says "begun", waits until it may go on, says "over". */
function longOrder(end: string): Order {
  const wait = `until [ -e ${dir}/go ]; do sleep 0.05; done`;
  const script = `echo start >> ${dir}/ran; echo begun; ${wait}; echo over; ${end}`;
  return { id: "long", action: { ...run("sh", "-c", script), detached: true } };
}

/** Acts each time "begun" is heard. */
function onBegun(act: () => void): OnOutput {
  return (_, text) => {
    if (text.includes("begun")) act();
  };
}

/** A source of an upload, made here. */
async function sourceOf(bytes: Buffer): Promise<{ path: string; sha256: string; size: number }> {
  const path = join(dir, "source");
  await writeFile(path, bytes);
  return { path, sha256: createHash("sha256").update(bytes).digest("hex"), size: bytes.length };
}

describe.skipIf(why !== undefined)("a host over sshd", () => {
  it("acts and reads in one flight", async () => {
    await using server = await startSshServer();
    await using host = await openHost(server.target());
    const path = join(dir, "written");

    const result = await host.fly({
      orders: orders(write(path, "text\n"), run("sh", "-c", "echo said")),
      facts: [
        { kind: "file", about: path },
        { kind: "file", about: join(dir, "absent") },
      ],
    });

    expect(result).toEqual({
      landings: [{ kind: "done" }, { kind: "done" }],
      answers: [{ value: "text\n" }, { value: undefined }],
    });
  });

  it.each([
    { name: "SFTP", sftp: true, user: "root" },
    { name: "a channel", sftp: false, user: "root" },
    { name: "SFTP, as a user with sudo", sftp: true, user: "sudo" },
    { name: "a channel, as a user with sudo", sftp: false, user: "sudo" },
  ])("puts long texts and files in place by $name", async ({ sftp, user }) => {
    await using person =
      user === "root" ? undefined : await makeSystemUser({ sudoers: ["USER ALL=(ALL) NOPASSWD:ALL"] });
    await using server = await startSshServer({ sftp, user: person?.name ?? "root" });
    // Where a real one is: the folder above must let the login user through.
    await using host = await openHost(server.target(), { worker: { root: join(server.dir, "run") } });
    const source = await sourceOf(randomBytes(2_000_000));
    const text = "line\n".repeat(40_000);

    const { landings } = await host.fly({
      orders: orders(write(join(dir, "text"), text), {
        kind: "upload",
        path: join(dir, "file"),
        source,
        mode: "0640",
      }),
      facts: [],
    });

    expect(landings).toEqual([{ kind: "done" }, { kind: "done" }]);
    expect(await readFile(join(dir, "text"), "utf8")).toBe(text);
    expect(
      createHash("sha256")
        .update(await readFile(join(dir, "file")))
        .digest("hex"),
    ).toBe(source.sha256);
    const { mode, uid } = await stat(join(dir, "file"));
    expect({ mode: mode & 0o7777, uid }).toEqual({ mode: 0o640, uid: 0 });
  });

  it("works with a sudo password and with sudo's use_pty", async () => {
    await using person = await makeSystemUser({
      password: "good",
      sudoers: ["USER ALL=(ALL) ALL", "Defaults:USER use_pty"],
    });
    await using server = await startSshServer({ user: person.name });
    await using host = await openHost(server.target(), { sudoPassword: "good" });

    const { landings } = await host.fly({ orders: orders(run("sh", "-c", "[ $(id -u) = 0 ]")), facts: [] });

    expect(landings).toEqual([{ kind: "done" }]);
  });

  it.skipIf(whyNoCsh !== undefined)("works over a csh login", async () => {
    await using person = await makeSystemUser({
      shell: "/bin/csh",
      sudoers: ["USER ALL=(ALL) NOPASSWD:ALL"],
    });
    await using server = await startSshServer({ user: person.name });
    await using host = await openHost(server.target());
    const path = join(dir, "it's $HOME");

    const { answers } = await host.fly({
      orders: orders(write(path, "a 'b' \"c\" $d `e` !f\n")),
      facts: [{ kind: "file", about: path }],
    });

    expect(answers).toEqual([{ value: "a 'b' \"c\" $d `e` !f\n" }]);
  });

  it("is not disturbed by what the login shell's rc prints and sets", async () => {
    await using server = await startSshServer();
    const rc =
      "echo noise; echo noise >&2; set -e; alias echo=false; export LC_ALL=de_DE.UTF-8 LANGUAGE=de; umask 777\n";
    await writeFile(join(server.home, ".bashrc"), rc);
    await using host = await openHost(server.target());
    const path = join(dir, "written");

    const { landings, answers } = await host.fly({
      orders: orders(write(path, "text\n")),
      facts: [{ kind: "query", about: { argv: ["sh", "-c", 'echo "$LC_ALL $LANGUAGE $(umask)"'] } }],
    });

    expect(landings).toEqual([{ kind: "done" }]);
    expect(answers).toEqual([{ value: { code: 0, stdout: "C  0022\n", stderr: "" } }]);
  });

  it("lets one run in at a time, and the next when the first is over", async () => {
    await using server = await startSshServer();
    const first = await openHost(server.target(), { lock: { owner: "first", waitMs: 0 } });

    const second = openHost(server.target(), { run: "run-2", lock: { owner: "second", waitMs: 0 } });

    await expect(second).rejects.toMatchObject({
      code: "LOCKED",
      message: expect.stringContaining("first") as string,
    });
    await first[Symbol.asyncDispose]();
    await using third = await openHost(server.target(), {
      run: "run-3",
      lock: { owner: "third", waitMs: 0 },
    });
    expect((await third.fly({ orders: [], facts: [] })).landings).toEqual([]);
  });
});

describe.skipIf(why !== undefined)("a host that is lost", () => {
  let server: SshServer;
  let proxy: CutProxy;

  beforeEach(async () => {
    server = await startSshServer();
    proxy = await startCutProxy({ port: server.port });
  });

  afterEach(async () => {
    await proxy[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  function behindProxy(overrides: Partial<SshHostOptions> = {}): Promise<Host> {
    const lock = { owner: "me", waitMs: 0 };
    return openHost(server.target({ port: proxy.port }), { lock, ...overrides });
  }

  it("comes back after a cut in a bulk read, under the same lock, and reads again", async () => {
    await writeFile(join(dir, "big"), "x".repeat(500_000));
    await using host = await behindProxy();
    const flight = { orders: [], facts: [{ kind: "file", about: join(dir, "big") }] } as const;
    void proxy.after(100_000, "down", "cut");

    await expect(host.fly(flight)).rejects.toMatchObject({ name: "HostLost" });
    const back = await host.reconnect();
    const { answers } = await host.fly(flight);

    expect(back).toEqual({ rebooted: false });
    expect(answers).toEqual([{ value: "x".repeat(500_000) }]);
  });

  it("does not come back once it is closed, and leaves the lock to the next run", async () => {
    const host = await behindProxy();
    const flying = host
      .fly({ orders: [], facts: [{ kind: "query", about: { argv: ["sleep", "0.5"] } }] })
      .catch(() => host.reconnect());
    const ended = rejection(flying);

    await host[Symbol.asyncDispose]();

    expect(String(await ended)).toContain("it was closed on this side");
    await using next = await openHost(server.target(), { run: "run-2", lock: { owner: "other", waitMs: 0 } });
    expect((await next.fly({ orders: [], facts: [] })).landings).toEqual([]);
  });

  it("closes what it comes back with when it was closed meanwhile", async () => {
    const host = await behindProxy();
    proxy.cut();
    const back = rejection(host.reconnect());

    await host[Symbol.asyncDispose]();

    expect(String(await back)).toContain("it was closed on this side");
    await using next = await openHost(server.target(), { run: "run-2", lock: { owner: "other", waitMs: 0 } });
    expect((await next.fly({ orders: [], facts: [] })).landings).toEqual([]);
  });

  it("attaches to a detached run that goes on, and runs it once", async () => {
    await using host = await behindProxy();
    const order = longOrder("exit 3");
    const heard: string[] = [];

    const flying = host.fly(
      { orders: [order], facts: [] },
      onBegun(() => proxy.cut()),
    );
    await expect(flying).rejects.toMatchObject({ name: "HostLost" });
    const goOn = onBegun(() => void writeFile(join(dir, "go"), ""));
    const back = await host.reconnect((id, text) => {
      heard.push(text);
      goOn(id, text);
    });
    const { landings } = await host.fly({ orders: [order], facts: [] });

    expect(back).toEqual({ rebooted: false });
    expect(heard.join("")).toBe("begun\nover\n");
    expect(landings).toMatchObject([{ kind: "failed", code: 3 }]);
    expect(await readFile(join(dir, "ran"), "utf8")).toBe("start\n");
  });

  it("gives the result of a detached run that ended while nobody listened", async () => {
    await using host = await behindProxy();
    const order = longOrder("exit 3");

    const flying = host.fly(
      { orders: [order], facts: [] },
      onBegun(() => proxy.cut()),
    );
    await expect(flying).rejects.toMatchObject({ name: "HostLost" });
    await writeFile(join(dir, "go"), "");
    await host.reconnect();
    const { landings } = await host.fly({ orders: [order], facts: [] });

    expect(landings).toMatchObject([{ kind: "failed", code: 3 }]);
    expect(await readFile(join(dir, "ran"), "utf8")).toBe("start\n");
  });

  it(
    "goes on waiting for a detached run when it is lost once more meanwhile",
    { timeout: 20_000 },
    async () => {
      await using host = await behindProxy();
      const order = longOrder("exit 0");
      let attached = 0;

      const flying = host.fly(
        { orders: [order], facts: [] },
        onBegun(() => proxy.cut()),
      );
      await expect(flying).rejects.toMatchObject({ name: "HostLost" });
      await host.reconnect(
        onBegun(() => {
          attached += 1;
          if (attached === 1) proxy.cut();
          else void writeFile(join(dir, "go"), "");
        }),
      );
      const { landings } = await host.fly({ orders: [order], facts: [] });

      expect(attached).toBe(2);
      expect(landings).toEqual([{ kind: "done" }]);
      expect(await readFile(join(dir, "ran"), "utf8")).toBe("start\n");
    },
  );

  it("says so when the machine was booted anew meanwhile", async () => {
    await using host = await behindProxy();
    await host.fly({ orders: [], facts: [] });

    await writeFile(join(dir, "boot-id"), "22222222-0000-0000-0000-000000000000\n");
    proxy.cut();

    expect(await host.reconnect()).toEqual({ rebooted: true });
    proxy.cut();
    expect(await host.reconnect()).toEqual({ rebooted: false });
  });

  it("keeps knocking while the machine is away", async () => {
    await using host = await behindProxy();
    proxy.refuse(true);
    proxy.cut();

    const returning = host.reconnect();
    const log = (await server.log()).length;
    proxy.refuse(false);

    expect(await returning).toEqual({ rebooted: false });
    expect((await server.log()).length).toBeGreaterThan(log);
  });

  it("gives up when the machine stays away", async () => {
    await using host = await behindProxy({ awayMs: 100 });
    proxy.refuse(true);
    proxy.cut();

    await expect(host.reconnect()).rejects.toMatchObject({ code: "HOST_LOST", exitCode: 4 });
  });

  it("ends at once when another machine answers", async () => {
    let target = server.target({ port: proxy.port });
    const connect = () => connectSsh(target, { signal: go });
    await using host = await behindProxy({ connect });
    await using foreign = await startSshServer();
    target = { ...target, port: foreign.port };
    proxy.cut();

    await expect(host.reconnect()).rejects.toMatchObject({ code: "HOST_KEY_DIFFERS" });
  });

  it("stops when told to while the machine is away", async () => {
    const stop = new AbortController();
    const reason = new Error("told to stop");
    await using host = await behindProxy({ signal: stop.signal });
    proxy.refuse(true);
    proxy.cut();

    const returning = host.reconnect();
    stop.abort(reason);

    await expect(returning).rejects.toBe(reason);
  });

  it("runs nothing of a flight whose frame did not come whole", async () => {
    await using host = await behindProxy();
    const text = "x".repeat(60_000);
    void proxy.after(30_000, "up", "cut");

    await expect(
      host.fly({ orders: orders(run("touch", join(dir, "ran")), write(join(dir, "text"), text)), facts: [] }),
    ).rejects.toMatchObject({ name: "HostLost" });
    await host.reconnect();

    expect(existsSync(join(dir, "ran"))).toBe(false);
    expect(existsSync(join(dir, "text"))).toBe(false);
  });
});
