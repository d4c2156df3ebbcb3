import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";

import { ProvisionError } from "../core/errors.ts";
import { pause } from "../core/until.ts";
import type { SshConnection } from "./ssh-connection.ts";
import { targetName, type SshTarget } from "./ssh-target.ts";

const words: Readonly<Record<string, string>> = {
  ENOTFOUND: "the name has no address",
  EAI_AGAIN: "the name cannot be looked up now",
  EHOSTUNREACH: "no way leads to the machine",
  ENETUNREACH: "no way leads to its network",
  ETIMEDOUT: "the machine does not answer",
};

/** How long to wait, and how to be stopped. */
export interface DialOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** A TCP connection to a target. */
export async function dial(target: SshTarget, options: DialOptions): Promise<Socket> {
  const host = targetName(target);
  const socket = connect({
    host: target.host,
    port: target.port,
    // ssh2 never sets it: Nagle's algorithm against delayed ACK costs 46 ms a command.
    noDelay: true,
    // With several addresses Node gives each 250 ms only, too little for a slow path.
    autoSelectFamilyAttemptTimeout: 2500,
  });
  const connected = new Promise<Socket>((resolve, reject) => {
    socket.once("connect", () => resolve(socket));
    // Stays: a late error of a socket that is given up has nobody to tell.
    socket.on("error", (error: NodeJS.ErrnoException) => reject(dialError(host, error)));
  });
  try {
    return await inTime(connected, host, options);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** A TCP connection that the jump host makes for us. */
export async function dialThrough(
  jump: SshConnection,
  target: SshTarget,
  options: DialOptions,
): Promise<Duplex> {
  const host = targetName(target);
  const forwarded = jump.forward(target.host, target.port);
  try {
    return await inTime(forwarded, host, options);
  } catch (error) {
    // What comes too late is closed.
    forwarded.then((stream) => stream.destroy()).catch(() => {});
    if (error instanceof ProvisionError || options.signal.aborted) throw error;
    const said = error instanceof Error ? error.message.replace("(SSH) Channel open failure: ", "") : error;
    const reason = `the jump host ${jump.name} says: ${String(said) || "no"}`;
    throw new ProvisionError("SSH_UNREACHABLE", { host, reason }, { cause: error });
  }
}

async function inTime<T>(work: Promise<T>, host: string, { timeoutMs, signal }: DialOptions): Promise<T> {
  signal.throwIfAborted();
  const over = new AbortController();
  const clock = pause(timeoutMs, AbortSignal.any([signal, over.signal])).then(() => {
    const facts = { host, stage: "an answer on the TCP port", seconds: Math.ceil(timeoutMs / 1000) };
    throw new ProvisionError("SSH_TIMED_OUT", facts);
  });
  try {
    return await Promise.race([work, clock]);
  } finally {
    clock.catch(() => {});
    over.abort();
  }
}

function dialError(host: string, error: NodeJS.ErrnoException): ProvisionError {
  if (error.code === "ECONNREFUSED") return new ProvisionError("SSH_REFUSED", { host }, { cause: error });
  const reason = words[error.code ?? ""] ?? error.message;
  return new ProvisionError("SSH_UNREACHABLE", { host, reason }, { cause: error });
}
