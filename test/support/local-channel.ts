import { spawn, type ChildProcess } from "node:child_process";

import { HostLost } from "../../src/provisioner/core/host.ts";
import type { Channel } from "../../src/provisioner/host/channel.ts";

/** A channel to a program of this machine: what an SSH channel is to one of another. */
export interface LocalChannel extends Channel {
  readonly child: ChildProcess;
}

/** Starts the program with a pipe at each end, in its own process group as sshd would. */
export function localChannel(argv: readonly [string, ...string[]]): LocalChannel {
  const [file, ...args] = argv;
  const child = spawn(file, args, { stdio: ["pipe", "pipe", "pipe"], detached: true });
  let listener: ((bytes: Buffer) => void) | undefined;
  let early: Buffer[] = [];
  let stderr = "";
  child.stdout.on("data", (bytes: Buffer) => (listener ? listener(bytes) : early.push(bytes)));
  child.stderr.on("data", (bytes: Buffer) => {
    stderr = (stderr + bytes.toString()).slice(-2000);
  });
  // The far side closing first is an ending like any other; `closed` tells it.
  child.stdin.on("error", () => {});
  child.stdout.on("error", () => {});
  const closed = new Promise<string>((resolve) => {
    child.on("exit", (code, signal) => resolve(`the worker ended (${signal ?? `code ${code}`})`));
    child.on("error", (error) => resolve(error.message));
  });

  return {
    child,
    closed,
    write: (bytes) =>
      new Promise((resolve, reject) => {
        child.stdin.write(bytes, (error) => (error ? reject(new HostLost(error.message)) : resolve()));
      }),
    onOutput(take) {
      listener = take;
      for (const bytes of early) take(bytes);
      early = [];
    },
    stderrTail: () => stderr,
    close() {
      child.stdin.destroy();
      child.stdout.destroy();
    },
  };
}
