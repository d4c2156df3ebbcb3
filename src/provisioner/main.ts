import { homedir } from "node:os";
import process from "node:process";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";

import { exitStopped } from "./cli/exit-code.ts";
import type { Shell, Stream } from "./cli/shell.ts";

/** After the work is done nothing should hold the process; what does anyway is not waited for longer. */
const lingerMs = 3000;

const stop = new AbortController();
let left: () => string = () => "nothing was begun";

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    if (!stop.signal.aborted) {
      stop.abort();
      return;
    }
    process.stderr.write(`\nStopped at once: ${left()}\n`);
    process.exit(exitStopped);
  });
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

const shell: Shell = {
  stdout: quietly(process.stdout),
  stderr: quietly(process.stderr),
  terminal() {
    const plain = process.env["TERM"] === "dumb" || process.env["CI"] !== undefined;
    if (plain || !process.stdout.isTTY || !process.stderr.isTTY) return undefined;
    return { screen: process.stderr, other: process.stdout };
  },
  env: process.env,
  cwd: process.cwd(),
  home: homedir(),
  pid: process.pid,
  signal: stop.signal,
  onHurry(tell) {
    left = tell;
  },
  async ask(question, { secret = false } = {}) {
    if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
    process.stderr.write(question);
    // Readline echoes what is typed to its output: a secret goes to one that shows nothing.
    const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
    const reader = createInterface({
      input: process.stdin,
      output: secret ? silent : process.stderr,
      terminal: true,
    });
    try {
      return await reader.question("", { signal: stop.signal });
    } finally {
      reader.close();
      if (secret) process.stderr.write("\n");
    }
  },
};

async function main(): Promise<number> {
  try {
    const { runProgram } = await import("./cli/program.ts");
    return await runProgram(process.argv.slice(2), shell);
  } catch (error) {
    const { showFailure } = await import("./cli/render/show-failure.ts");
    return showFailure(error, shell, process.argv.slice(2));
  }
}

process.on("uncaughtException", (error) => {
  process.stderr.write(`error BUG  outside of any command\n${error.stack ?? error.message}\n`);
  process.exit(1);
});

process.exitCode = await main();
setTimeout(() => process.exit(), lingerMs).unref();
