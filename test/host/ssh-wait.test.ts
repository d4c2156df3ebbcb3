import { describe, expect, it } from "vitest";

import { ProvisionError } from "../../src/provisioner/core/errors.ts";
import type { SshStage } from "../../src/provisioner/host/connect-options.ts";
import { connectSsh } from "../../src/provisioner/host/ssh-connect.ts";
import type { SshConnection } from "../../src/provisioner/host/ssh-connection.ts";
import { ownTarget } from "../../src/provisioner/host/ssh-target.ts";
import { waitForSsh, type WaitForSsh } from "../../src/provisioner/host/wait-for-ssh.ts";
import { startSshServer } from "../support/ssh-server.ts";

const connection = {} as SshConnection;
const host = "guest";
const away = new ProvisionError("SSH_UNREACHABLE", { host, reason: "the machine does not answer" });
const closed = new ProvisionError("SSH_REFUSED", { host });
const noUser = new ProvisionError("LOGIN_REFUSED", {
  host,
  user: "builder",
  tried: "key",
  takes: "publickey",
});
const wrongKey = new ProvisionError("HOST_KEY_DIFFERS", {
  host,
  name: host,
  known: "a",
  presented: "b",
  file: undefined,
});

/** A guest whose attempts go as listed, the last one for ever, on a clock that only pauses move. */
function guest(attempts: readonly (Error | SshConnection)[], overrides: Partial<WaitForSsh> = {}) {
  const seen = { pauses: [] as number[], tried: [] as string[] };
  let time = 0;
  const options: WaitForSsh = {
    name: host,
    addresses: () => Promise.resolve(["10.0.0.1"]),
    targetAt: (address) => ownTarget({ host: address, user: "builder", hostKey: "", privateKey: "" }),
    progress: () => time,
    quietMs: 60_000,
    deadlineMs: 300_000,
    signal: new AbortController().signal,
    now: () => time,
    sleep: (ms) => {
      seen.pauses.push(ms);
      time += ms;
      return Promise.resolve();
    },
    random: () => 0.5,
    connect: (target) => {
      const result = attempts[Math.min(seen.tried.length, attempts.length - 1)];
      seen.tried.push(target.host);
      return result instanceof Error ? Promise.reject(result) : Promise.resolve(result ?? connection);
    },
    ...overrides,
  };
  return { seen, wait: () => waitForSsh(options) };
}

describe("waitForSsh", () => {
  it("goes on through everything a booting guest says until it lets us in", async () => {
    const booting = guest([away, closed, closed, noUser, noUser, noUser, connection]);

    expect(await booting.wait()).toBe(connection);
    expect(booting.seen.tried).toHaveLength(7);
  });

  it("pauses 2 s or more, longer each time, and never the same for two guests", async () => {
    const booting = guest([away, away, away, away, away, away, connection]);

    await booting.wait();

    expect(Math.min(...booting.seen.pauses)).toBeGreaterThanOrEqual(2000);
    expect(booting.seen.pauses.toSorted((a, b) => a - b)).toEqual(booting.seen.pauses);
    expect(booting.seen.pauses[0]).toBe(2250);
  });

  it("asks for the addresses anew each time", async () => {
    const rounds: readonly (readonly string[])[] = [[], ["10.0.0.1"], ["10.0.0.2", "10.0.0.1"]];
    let round = 0;
    const addresses = () => Promise.resolve(rounds[Math.min(round++, 2)] ?? []);
    const booting = guest([away, connection], { addresses });

    await booting.wait();

    expect(booting.seen.tried).toEqual(["10.0.0.1", "10.0.0.2"]);
  });

  it("ends at once when the host key differs", async () => {
    const booting = guest([closed, wrongKey, connection]);

    await expect(booting.wait()).rejects.toBe(wrongKey);
    expect(booting.seen.tried).toHaveLength(2);
  });

  it("tries the next address when a stale lease leads to another machine", async () => {
    const both = ["10.0.0.1", "10.0.0.2"];
    const booting = guest([wrongKey, connection], { addresses: () => Promise.resolve(both) });

    expect(await booting.wait()).toBe(connection);
  });

  it("takes the second refused login for final once the guest is ready", async () => {
    let asked = 0;
    const booting = guest([noUser], { ready: () => asked++ >= 3 });

    await expect(booting.wait()).rejects.toBe(noUser);
    expect(booting.seen.tried).toHaveLength(5);
  });

  it("gives up when nothing moves, and says how far it came", async () => {
    const booting = guest([closed], {
      progress: () => 7,
      consoleTail: () => Promise.resolve("kernel panic"),
    });

    await expect(booting.wait()).rejects.toMatchObject({
      code: "SSH_NOT_UP",
      facts: { stage: "no answer on any address", reason: closed.message, tail: "kernel panic" },
    });
    expect(booting.seen.pauses.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(70_000);
  });

  it("waits on while the console moves, up to the deadline", async () => {
    const booting = guest([closed]);

    await expect(booting.wait()).rejects.toMatchObject({ code: "SSH_NOT_UP" });
    expect(booting.seen.pauses.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThan(290_000);
  });

  it("names the furthest stage that was reached", async () => {
    const stages: readonly SshStage[] = ["tcp", "greeting", "host key"];
    const booting = guest([], {
      progress: () => 7,
      connect: (_, { onStage }) => {
        for (const stage of stages) onStage?.(stage);
        return Promise.reject(noUser);
      },
    });

    await expect(booting.wait()).rejects.toMatchObject({ facts: { stage: "host key" } });
  });

  it("stops when told to", async () => {
    const stop = new AbortController();
    const reason = new Error("told to stop");
    const booting = guest([closed], {
      signal: stop.signal,
      connect: () => {
        stop.abort(reason);
        return Promise.reject(closed);
      },
    });

    await expect(booting.wait()).rejects.toBe(reason);
  });

  it("logs in to a real server that comes up late", async () => {
    await using server = await startSshServer();
    let port = 1;
    const booting = guest([], {
      connect: connectSsh,
      targetAt: () => server.target({ port }),
      sleep: () => {
        port = server.port;
        return Promise.resolve();
      },
    });

    await using late = await booting.wait();

    expect(late.name).toBe(`${server.user}@127.0.0.1:${server.port}`);
  });
});
