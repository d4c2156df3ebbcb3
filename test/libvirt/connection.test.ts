import { execFile } from "node:child_process";
import { mkdtemp, open, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { openConnection, type Session } from "../../src/provisioner/libvirt/connection.ts";
import { compileSources } from "../support/compile-sources.ts";
import { isVirtError, virtCodes } from "../../src/provisioner/libvirt/virt-error.ts";

const run = promisify(execFile);
const uri = "test:///default";
let folder = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "provision-connection-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const find = (name: string) => async (on: Session) => {
  const domain = on.take("virDomainFree", await on.call("virDomainLookupByName", on.connection, name));
  return on.call("virDomainGetXMLDesc", domain, 0);
};

const nobody = (on: Session) => on.call("virDomainLookupByName", on.connection, "x");
const nowhere = (on: Session) => on.call("virNetworkLookupByName", on.connection, "y");

describe("openConnection", () => {
  it("calls libvirt when its own test hypervisor is opened", async () => {
    await using connection = await openConnection(uri);

    const xml = await connection.use(find("test"));

    expect(xml).toContain("<name>test</name>");
  });

  it("says that libvirt is down when nothing listens on its socket", async () => {
    const opened = openConnection(`qemu+unix:///system?socket=${folder}/none.sock`);

    await expect(opened).rejects.toMatchObject({ code: "LIBVIRT_DOWN", exitCode: 4 });
    await expect(opened).rejects.toThrow(/No such file or directory/);
  });

  it("keeps libvirt's number and words when opening fails otherwise", async () => {
    const opened = openConnection("nonsense:///system");

    await expect(opened).rejects.toMatchObject({
      code: "LIBVIRT_FAILED",
      facts: { call: "virConnectOpen", reason: expect.stringMatching(/nonsense/) },
    });
  });

  it("gives each its own error when several fail to open at once", async () => {
    const names = ["a", "b", "c"];

    const endings = await Promise.allSettled(
      names.map((name) => openConnection(`qemu+unix:///system?socket=${folder}/${name}.sock`)),
    );

    const reasons = endings.map((ending) =>
      ending.status === "rejected" ? String(ending.reason) : "opened",
    );
    expect(reasons.map((reason) => /\/([abc])\.sock': No such/.exec(reason)?.[1])).toEqual(names);
  });

  it("is not held up by one that hangs, and the errors of others are not taken for its own", async () => {
    const socket = join(folder, "mute.sock");
    const mute = createServer((peer) => peer.on("error", () => {})).listen(socket);
    const peers = new Promise<() => void>((resolve) =>
      mute.on("connection", (peer) => resolve(() => peer.destroy())),
    );
    const hung = openConnection(`qemu+unix:///system?socket=${socket}`, { openMs: 4000 });
    const settled = Promise.allSettled([hung]);
    const started = performance.now();

    const failed = openConnection(`qemu+unix:///system?socket=${folder}/none.sock`);
    await expect(failed).rejects.toMatchObject({ code: "LIBVIRT_DOWN" });
    await using connection = await openConnection(uri);
    const ms = performance.now() - started;
    await settled;
    (await peers)();
    mute.close();

    expect(connection.uri).toBe(uri);
    expect(ms).toBeLessThan(3900);
    await expect(hung).rejects.toMatchObject({ code: "LIBVIRT_STALLED" });
  });

  it("gives up when the daemon accepts and stays silent", async () => {
    const socket = join(folder, "silent.sock");
    const server = createServer((peer) => peer.on("error", () => {})).listen(socket);
    const peers = new Promise<() => void>((resolve) =>
      server.on("connection", (peer) => resolve(() => peer.destroy())),
    );

    const opened = openConnection(`qemu+unix:///system?socket=${socket}`, { openMs: 200 });

    await expect(opened).rejects.toMatchObject({ code: "LIBVIRT_STALLED" });
    (await peers)();
    server.close();
  });
});

describe("Connection", () => {
  it("gives each failure its own code when many fail at once on two connections", async () => {
    await using one = await openConnection(uri);
    await using two = await openConnection(uri);

    const endings = await Promise.allSettled(
      Array.from({ length: 40 }, (_, n) => (n % 2 ? one.use(nobody) : two.use(nowhere))),
    );

    const codes = endings.map((ending, n) =>
      ending.status === "rejected"
        ? isVirtError(ending.reason, n % 2 ? virtCodes.noDomain : virtCodes.noNetwork)
        : "found",
    );
    expect(codes).toEqual(Array.from({ length: 40 }, () => true));
  });

  it("lets one session at a time on a connection", async () => {
    await using connection = await openConnection(uri);
    const order: string[] = [];
    const session = (name: string) =>
      connection.use(async (on) => {
        order.push(`${name} in`);
        await find("test")(on);
        order.push(`${name} out`);
      });

    await Promise.all([session("a"), session("b")]);

    expect(order).toEqual(["a in", "a out", "b in", "b out"]);
  });

  it("serves the next session when the one before failed", async () => {
    await using connection = await openConnection(uri);

    const first = connection.use(find("nobody"));
    const second = connection.use(find("test"));

    await expect(first).rejects.toMatchObject({ code: "LIBVIRT_FAILED", facts: { code: 42 } });
    await expect(second).resolves.toContain("<name>test</name>");
  });

  it("is replaced when a call misses its deadline", async () => {
    const fifo = join(folder, "never-written");
    await run("mkfifo", [fifo]);
    await using connection = await openConnection(uri);
    const handles: bigint[] = [];

    const waiting = connection.use(async (on) => {
      handles.push(on.connection);
      await on.callWithin(100, "virDomainRestoreFlags", on.connection, fifo, null, 0);
    });
    const later = connection.use(async (on) => {
      handles.push(on.connection);
      return on.call("virConnectGetVersion", on.connection, [0]);
    });

    await expect(waiting).rejects.toMatchObject({ code: "LIBVIRT_STALLED", facts: { seconds: 0.1 } });
    await expect(later).resolves.toBe(0);
    expect(handles[0]).not.toBe(handles[1]);
    // Lets the thread that waits for a writer go.
    await (await open(fifo, "r+")).close();
  });

  it("refuses further calls of a session whose call was stuck", async () => {
    const fifo = join(folder, "never-written");
    await run("mkfifo", [fifo]);
    await using connection = await openConnection(uri);

    const after = connection.use(async (on) => {
      await on.callWithin(100, "virDomainRestoreFlags", on.connection, fifo, null, 0).catch(() => {});
      return on.call("virConnectGetVersion", on.connection, [0]);
    });

    await expect(after).rejects.toMatchObject({ code: "LIBVIRT_STALLED" });
    await (await open(fifo, "r+")).close();
  });
});

describe("a process that used libvirt", () => {
  let built = "";
  beforeAll(async () => {
    built = await compileSources();
  }, 120_000);
  afterAll(() => rm(built, { recursive: true, force: true }));

  const node = (body: string) =>
    run(
      process.execPath,
      [
        "--input-type=module",
        "-e",
        `import { openConnection } from ${JSON.stringify(join(built, "provisioner/libvirt/connection.js"))};\n${body}`,
      ],
      { timeout: 60_000, killSignal: "SIGKILL" },
    );

  it("ends by itself when its connections are closed", async () => {
    const ending = node(`
      const [one, two] = await Promise.all([openConnection("${uri}"), openConnection("${uri}")]);
      await one[Symbol.asyncDispose]();
      await two.use((on) => on.call("virConnectGetVersion", on.connection, [0]));
      await two[Symbol.asyncDispose]();
      const three = await openConnection("${uri}");
      await three[Symbol.asyncDispose]();
      console.log("closed");
    `);

    await expect(ending).resolves.toEqual({ stdout: "closed\n", stderr: "" });
  });

  it("exits with its number when a call is still stuck", async () => {
    const fifo = join(folder, "never-written");
    await run("mkfifo", [fifo]);

    const ending = node(`
      const connection = await openConnection("${uri}");
      await connection
        .use((on) => on.callWithin(50, "virDomainRestoreFlags", on.connection, "${fifo}", null, 0))
        .catch((error) => console.log(error.code));
      process.exit(4);
    `);

    await expect(ending).rejects.toMatchObject({ code: 4, stdout: "LIBVIRT_STALLED\n" });
  });

  it("does not load koffi when it only imports", async () => {
    const ending = node(`
      console.log(openConnection.name, process.report.getReport().sharedObjects.some((name) => /koffi|libvirt/.test(name)));
    `);

    await expect(ending).resolves.toMatchObject({ stdout: "openConnection false\n" });
  });
});
