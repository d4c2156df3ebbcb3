import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import { connectSsh } from "../../src/provisioner/host/ssh-connect.ts";
import { startCutProxy } from "../support/cut-proxy.ts";
import { startSshServer, type SshServer } from "../support/ssh-server.ts";

// Real servers and real users, on machines that are busy with other things.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const go = new AbortController().signal;
const size = 12_345_678;
let dir: string;
let source: string;
let sha256: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "provision-upload-"));
  source = join(dir, "source file");
  const bytes = randomBytes(size);
  sha256 = createHash("sha256").update(bytes).digest("hex");
  await writeFile(source, bytes);
});

afterAll(() => rm(dir, { recursive: true, force: true }));

async function hashOf(path: string): Promise<string> {
  return createHash("sha256")
    .update(await readFile(path))
    .digest("hex");
}

/** The part is removed by the far side, which hears of the stop a moment later. */
async function gone(connection: Awaited<ReturnType<typeof connectSsh>>, path: string): Promise<void> {
  const watch = await connection.open(`while [ -e ${path} ]; do sleep 0.05; done`);
  expect(await watch.closed).toBe("it ended with exit code 0");
}

describe.each([
  { way: "SFTP", sftp: true },
  { way: "a channel, where there is no SFTP", sftp: false },
])("upload by $way", ({ sftp }) => {
  let server: SshServer;

  beforeAll(async () => {
    server = await startSshServer({ sftp });
  });

  afterAll(() => server[Symbol.asyncDispose]());

  it("copies a file whole, for its owner's eyes only", async () => {
    await using connection = await connectSsh(server.target(), { signal: go });
    const path = join(server.dir, "a 'quoted' name");

    await connection.upload(source, path, go);

    expect(await hashOf(path)).toBe(sha256);
    expect((await stat(path)).mode & 0o7777).toBe(0o600);
  });

  it("replaces what was there, though it was longer and open to all", async () => {
    await using connection = await connectSsh(server.target(), { signal: go });
    const path = join(server.dir, "older");
    await writeFile(path, randomBytes(size + 1000), { mode: 0o666 });

    await connection.upload(source, path, go);

    expect(await hashOf(path)).toBe(sha256);
    expect((await stat(path)).mode & 0o7777).toBe(0o600);
  });

  it("copies an empty file", async () => {
    await using connection = await connectSsh(server.target(), { signal: go });
    const empty = join(dir, `empty-${sftp}`);
    await writeFile(empty, "");

    await connection.upload(empty, join(server.dir, "empty"), go);

    expect((await stat(join(server.dir, "empty"))).size).toBe(0);
  });

  it("copies several at once over one more channel", async () => {
    await using connection = await connectSsh(server.target(), { signal: go });
    const paths = ["one", "two", "three"].map((name) => join(server.dir, name));

    await Promise.all(paths.map((path) => connection.upload(source, path, go)));

    expect(await Promise.all(paths.map(hashOf))).toEqual([sha256, sha256, sha256]);
  });

  it("says why when the folder is missing", async () => {
    await using connection = await connectSsh(server.target(), { signal: go });

    await expect(connection.upload(source, join(server.dir, "no/folder"), go)).rejects.toMatchObject({
      code: "UPLOAD_FAILED",
      message: expect.stringMatching(/no such file|nonexistent/i) as string,
    });
  });

  it("says why when the local file is missing, and goes on working", async () => {
    await using connection = await connectSsh(server.target(), { signal: go });
    const path = join(server.dir, "after");

    await expect(connection.upload(join(dir, "missing"), path, go)).rejects.toMatchObject({
      code: "UPLOAD_FAILED",
      message: expect.stringContaining("ENOENT") as string,
    });
    expect(existsSync(path)).toBe(false);
    await connection.upload(source, path, go);

    expect(await hashOf(path)).toBe(sha256);
  });

  it("stops when told to, and removes the part", async () => {
    await using proxy = await startCutProxy({ port: server.port });
    await using connection = await connectSsh(server.target({ port: proxy.port }), { signal: go });
    const stop = new AbortController();
    const reason = new Error("told to stop");
    const path = join(server.dir, "stopped");
    const stalled = proxy.after(2_000_000, "up", "stall");
    const outcome = connection.upload(source, path, stop.signal).catch((error: unknown) => error);

    await stalled;
    stop.abort(reason);
    proxy.resume();
    expect(await outcome).toBe(reason);

    await gone(connection, path);
    await connection.upload(source, path, go);
    expect(await hashOf(path)).toBe(sha256);
  });

  it("is a lost host when the connection is cut", async () => {
    await using proxy = await startCutProxy({ port: server.port });
    await using connection = await connectSsh(server.target({ port: proxy.port }), { signal: go });
    void proxy.after(2_000_000, "up", "cut");

    await expect(connection.upload(source, join(server.dir, "cut"), go)).rejects.toMatchObject({
      name: "HostLost",
    });
  });
});
