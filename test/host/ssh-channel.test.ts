import { createHash, randomBytes } from "node:crypto";

import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import { connectSsh } from "../../src/provisioner/host/ssh-connect.ts";
import type { SshChannel } from "../../src/provisioner/host/ssh-channel.ts";
import type { SshConnection } from "../../src/provisioner/host/ssh-connection.ts";
import { startCutProxy, type CutProxy } from "../support/cut-proxy.ts";
import { startSshServer, type SshServer } from "../support/ssh-server.ts";

// Real servers and real users, on machines that are busy with other things.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let server: SshServer;
let connection: SshConnection;

beforeAll(async () => {
  server = await startSshServer();
  connection = await connectSsh(server.target(), { signal: new AbortController().signal });
});

afterAll(async () => {
  await connection[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

/** Collects what comes, and waits for a number of bytes. */
class Collected {
  readonly #pieces: Buffer[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(channel: SshChannel) {
    channel.onOutput((piece) => {
      this.#pieces.push(piece);
      for (const look of this.#waiting) look();
    });
  }

  bytes(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  until(count: number): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (this.bytes().length >= count) resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }
}

describe("a channel", () => {
  it("carries any bytes both ways", async () => {
    const sent = Buffer.concat([
      Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
      randomBytes(3_000_000),
    ]);
    const channel = await connection.open("exec cat");
    const got = new Collected(channel);

    await channel.write(sent);
    channel.end();
    await channel.closed;

    expect(got.bytes().equals(sent)).toBe(true);
  });

  it("does not wait for acknowledgements: Nagle's algorithm would make this 50 times 40 ms", async () => {
    const channel = await connection.open("exec cat");
    const got = new Collected(channel);
    const started = performance.now();

    for (let turn = 1; turn <= 50; turn++) {
      await channel.write(Buffer.from("x"));
      await channel.write(Buffer.from("y"));
      await got.until(turn * 2);
    }

    expect(performance.now() - started).toBeLessThan(1500);
    channel.close();
  });

  it("keeps output for a listener that comes late", async () => {
    const channel = await connection.open("printf early; exec cat");
    const second = await connection.open("printf second");
    const other = new Collected(second);
    await other.until(6);

    const got = new Collected(channel);
    await got.until(5);

    expect(got.bytes().toString()).toBe("early");
    channel.close();
  });

  it("goes on after 5 MB on standard error, and keeps only its end", async () => {
    const channel = await connection.open(
      "head -c 5000000 /dev/zero | tr '\\0' e >&2; echo last words >&2; echo out",
    );
    const got = new Collected(channel);

    const reason = await channel.closed;

    expect(got.bytes().toString()).toBe("out\n");
    expect(channel.stderrTail()).toMatch(/^e+last words\n$/);
    expect(channel.stderrTail().length).toBeLessThanOrEqual(8192);
    expect(reason).toBe("it ended with exit code 0");
  });

  it.each([
    ["exit 7", 7, "it ended with exit code 7"],
    ["kill -TERM $$", null, "it was killed by SIGTERM"],
  ])("says how `%s` ended", async (line, code, words) => {
    const channel = await connection.open(line);

    expect(await channel.closed).toBe(words);
    expect(channel.exitCode).toBe(code);
  });

  it("ends with the program, though a child in the background holds its output", async () => {
    const started = performance.now();
    const channel = await connection.open("sleep 20 & echo $!");
    const got = new Collected(channel);

    await channel.closed;

    expect(performance.now() - started).toBeLessThan(10_000);
    process.kill(Number(got.bytes().toString()));
  });

  it("delivers all output before it says that it is closed", async () => {
    const channel = await connection.open(
      "head -c 20000000 /dev/zero | sha256sum; head -c 8000000 /dev/zero",
    );
    const got = new Collected(channel);

    await channel.closed;

    const hash = createHash("sha256").update(Buffer.alloc(20_000_000)).digest("hex");
    expect(got.bytes().length).toBe(8_000_000 + `${hash}  -\n`.length);
  });

  it("rejects a write that nobody will read any more", async () => {
    const channel = await connection.open("exec head -c 10 >/dev/null");

    const writing = channel.write(Buffer.alloc(5_000_000));

    await expect(writing).rejects.toMatchObject({ name: "HostLost", message: "it ended with exit code 0" });
    await expect(channel.write(Buffer.alloc(1))).rejects.toMatchObject({ name: "HostLost" });
  });

  it("takes no more than the far side has room for", async () => {
    const channel = await connection.open("read go; exec cat >/dev/null");
    let taken = false;
    const writing = channel.write(Buffer.alloc(8_000_000)).then(() => (taken = true));
    const other = new Collected(await connection.open("printf x"));

    await other.until(1);
    const takenEarly = taken;
    channel.close();

    expect(takenEarly).toBe(false);
    await expect(writing).rejects.toMatchObject({ name: "HostLost" });
  });

  it("ends the program's input when it is closed here", async () => {
    const channel = await connection.open(`cat; echo over > ${server.dir}/over; exit 3`);
    const watch = await connection.open(`until [ -e ${server.dir}/over ]; do sleep 0.05; done`);

    channel.close();

    expect(await channel.closed).toBe("it was closed on this side");
    expect(await watch.closed).toBe("it ended with exit code 0");
  });

  it("says what the machine allows when it refuses one more session", async () => {
    await using small = await startSshServer({ config: ["MaxSessions 1"] });
    await using narrow = await connectSsh(small.target(), { signal: new AbortController().signal });
    await narrow.open("exec cat");

    await expect(narrow.open("true")).rejects.toMatchObject({
      code: "SSH_CHANNEL_REFUSED",
      mend: expect.stringContaining("MaxSessions") as string,
    });
  });
});

async function through(): Promise<{ proxy: CutProxy; lossy: SshConnection } & AsyncDisposable> {
  const proxy = await startCutProxy({ port: server.port });
  const lossy = await connectSsh(server.target({ port: proxy.port }), {
    signal: new AbortController().signal,
  });
  return {
    proxy,
    lossy,
    async [Symbol.asyncDispose]() {
      await lossy[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
    },
  };
}

describe("a lost connection", () => {
  it("is told to every channel, write and later call when it is cut in the middle of a read", async () => {
    await using line = await through();
    const reading = await line.lossy.open("exec cat /dev/zero");
    const waiting = await line.lossy.open("exec sleep 60");
    const writing = waiting.write(Buffer.alloc(8_000_000));
    reading.onOutput(() => {});

    void line.proxy.after(100_000, "down", "cut");

    await expect(writing).rejects.toMatchObject({ name: "HostLost" });
    expect(await reading.closed).toMatch(/^the connection broke/);
    expect(await waiting.closed).toMatch(/^the connection broke/);
    expect(reading.exitCode).toBeUndefined();
    await expect(line.lossy.open("true")).rejects.toMatchObject({ name: "HostLost" });
  });

  it("is noticed when the server's process is killed", async () => {
    await using line = await through();
    const channel = await line.lossy.open("exec cat");

    await server.killSessions();

    expect(await channel.closed).toMatch(/^the connection broke/);
    // The shared connection died with it: make a new one for the other tests.
    await connection[Symbol.asyncDispose]();
    connection = await connectSsh(server.target(), { signal: new AbortController().signal });
  });

  it("is closed in time though the peer is dead", async () => {
    await using line = await through();
    await line.lossy.open("exec cat");
    line.proxy.stall();
    const started = performance.now();

    await line.lossy[Symbol.asyncDispose]();

    expect(performance.now() - started).toBeLessThan(4000);
  });
});
