import { homedir, hostname, userInfo } from "node:os";
import process from "node:process";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";

import { exitStopped } from "./cli/exit-code.ts";
import type { Shell, Stream } from "./cli/shell.ts";

/**
 * This process as a shell for commands: its streams, its signals, its terminal. To be opened once. `onBug` is the
 * process's own, which shows what nobody caught.
 */
export function shellOfProcess(onBug: Shell["onBug"]): Shell {
  const stop = new AbortController();
  let left: (() => string) | undefined;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      if (!stop.signal.aborted) {
        stop.abort();
        return;
      }
      process.stderr.write(`\nStopped at once: ${left?.() ?? "nothing was begun"}\n`);
      process.exit(exitStopped);
    });
  }
  return {
    stdout: quietly(process.stdout),
    stderr: quietly(process.stderr),
    terminal() {
      const plain = process.env["TERM"] === "dumb" || process.env["CI"] !== undefined;
      if (plain || !process.stdout.isTTY || !process.stderr.isTTY) return undefined;
      // A terminal without a size (`script` in a job) cannot be redrawn.
      if (!process.stdout.columns || !process.stderr.columns) return undefined;
      const streams = { screen: process.stderr, other: process.stdout };
      return process.stdin.isTTY ? { ...streams, keyboard: process.stdin } : streams;
    },
    env: process.env,
    cwd: process.cwd(),
    home: homedir(),
    user: userInfo().username,
    isRoot: process.getuid?.() === 0,
    machine: hostname(),
    pid: process.pid,
    signal: stop.signal,
    onHurry(tell) {
      left = tell;
    },
    onBug,
    ask: (question, options) => ask(question, stop.signal, options?.secret ?? false),
  };
}

/** A reader that went away (`| head`) is no reason to stop working, nor to say anything. */
function quietly(stream: NodeJS.WriteStream): Stream {
  let gone = false;
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE" && error.code !== "EIO") throw error;
    gone = true;
  });
  return {
    write(text) {
      if (!gone) stream.write(text);
    },
    isTTY: stream.isTTY,
  };
}

async function ask(question: string, signal: AbortSignal, secret: boolean): Promise<string | undefined> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
  process.stderr.write(question);
  // Readline echoes what is typed to its output: a secret goes to one that shows nothing.
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({
    input: process.stdin,
    output: secret ? silent : process.stderr,
    terminal: true,
  });
  // On a raw terminal Ctrl-C is a key, which only the reader sees.
  reader.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
  try {
    return await reader.question("", { signal });
  } finally {
    reader.close();
    if (secret) process.stderr.write("\n");
  }
}
