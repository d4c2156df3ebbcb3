import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, realpath } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { text } from "node:stream/consumers";

import type { Run } from "../core/run.ts";
import { until } from "../core/until.ts";

const HOUR = 3_600_000;

/**
 * Holds the name of a path; waits for whoever holds it. The lock is a listening socket in Linux's abstract
 * namespace (unix(7)): the kernel frees it when the process ends, however it ends, so there is no stale lock.
 */
export async function holdLock(path: string, what: string, run: Run): Promise<AsyncDisposable> {
  const name = await socketName(path);
  let said = false;
  const server = await until(
    async () => {
      const taken = await take(name);
      if (taken) return taken;
      if (!said) run.note(`Waiting for ${await holder(name)}, which has ${what}`);
      said = true;
      return undefined;
    },
    { deadlineMs: 12 * HOUR, pauseMs: 200, longestMs: 2000, signal: run.signal },
  );
  return {
    [Symbol.asyncDispose]: async () => {
      if (server) await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function socketName(path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  const real = join(await realpath(dirname(path)), basename(path));
  // sun_path holds 108 bytes: a digest always fits.
  return `\0provision-${createHash("sha256").update(real).digest("hex").slice(0, 40)}`;
}

async function take(name: string): Promise<Server | undefined> {
  const server = createServer((asker) => asker.end(`process ${process.pid}`));
  server.unref();
  try {
    server.listen(name);
    await once(server, "listening");
    return server;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") return undefined;
    throw error;
  }
}

async function holder(name: string): Promise<string> {
  try {
    return await text(connect(name));
  } catch {
    return "another process";
  }
}
