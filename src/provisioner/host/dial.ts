import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";

import { ProvisionError } from "../core/errors.ts";
import type { SshConnection } from "./ssh-connection.ts";
import { targetName, type SshTarget } from "./ssh-target.ts";

const words: Readonly<Record<string, string>> = {
  ENOTFOUND: "the name has no address",
  EAI_AGAIN: "the name cannot be looked up now",
  EHOSTUNREACH: "no way leads to the machine",
  ENETUNREACH: "no way leads to its network",
  ETIMEDOUT: "the machine does not answer",
};

/** A TCP connection to a target. */
export function dial(
  target: SshTarget,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<Socket> {
  const host = targetName(target);
  const socket = connect({
    host: target.host,
    port: target.port,
    // ssh2 never sets it: Nagle's algorithm against delayed ACK costs 46 ms a command.
    noDelay: true,
    // With several addresses Node gives each 250 ms only, too little for a slow path.
    autoSelectFamilyAttemptTimeout: 2500,
  });
  return new Promise((resolve, reject) => {
    const settle = (error?: unknown) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
      socket.removeAllListeners("error").removeAllListeners("connect");
      if (error === undefined) {
        resolve(socket);
        return;
      }
      // A late error of a socket that is being destroyed has nobody to tell.
      socket.on("error", () => {}).destroy();
      reject(error);
    };
    const stop = () => settle(signal.reason);
    const seconds = Math.ceil(timeoutMs / 1000);
    const stage = "an answer on the TCP port";
    const timer = setTimeout(
      () => settle(new ProvisionError("SSH_TIMED_OUT", { host, stage, seconds })),
      timeoutMs,
    );
    signal.addEventListener("abort", stop, { once: true });
    socket.once("connect", () => settle());
    socket.once("error", (error: NodeJS.ErrnoException) => settle(dialError(host, error)));
  });
}

/** A TCP connection that the jump host makes for us. */
export async function dialThrough(jump: SshConnection, target: SshTarget): Promise<Duplex> {
  return jump.forward(target.host, target.port).catch((error: unknown) => {
    const said = error instanceof Error ? error.message.replace("(SSH) Channel open failure: ", "") : error;
    const reason = `the jump host ${jump.name} says: ${String(said) || "no"}`;
    throw new ProvisionError("SSH_UNREACHABLE", { host: targetName(target), reason }, { cause: error });
  });
}

function dialError(host: string, error: NodeJS.ErrnoException): ProvisionError {
  if (error.code === "ECONNREFUSED") return new ProvisionError("SSH_REFUSED", { host }, { cause: error });
  const reason = words[error.code ?? ""] ?? error.message;
  return new ProvisionError("SSH_UNREACHABLE", { host, reason }, { cause: error });
}
