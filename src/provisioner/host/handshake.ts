import type { Duplex } from "node:stream";

import type { Client, ConnectConfig } from "ssh2";

import { ProvisionError } from "../core/errors.ts";
import type { ConnectOptions, SshStage } from "./connect-options.ts";
import type { HostKeyPolicy } from "./host-key-policy.ts";
import type { Identities } from "./ssh-keys.ts";
import { targetName, type SshTarget } from "./ssh-target.ts";

/** What is awaited at each stage, for messages. */
const awaited: Readonly<Record<SshStage, string>> = {
  tcp: "the server's greeting",
  greeting: "the key exchange",
  "host key": "the answer to the login",
  login: "nothing more",
};

/** All that a login needs. */
export interface Handshake {
  readonly client: Client;
  readonly socket: Duplex;
  readonly target: SshTarget;
  readonly policy: HostKeyPolicy;
  readonly identities: Identities;
  readonly options: ConnectOptions;
}

/** What was seen on the way, to explain a failure by. */
interface Seen {
  stage: SshStage;
  keyVerdict: ProvisionError | undefined;
  readonly tried: string[];
  takes: string;
}

/** Exchanges keys, checks the host's, logs in. Rejects with the one error that says what went wrong. */
export function shakeHands(handshake: Handshake): Promise<void> {
  const { client, socket, options } = handshake;
  const { signal } = options;
  const seen: Seen = { stage: "tcp", keyVerdict: undefined, tried: [], takes: "" };
  const reached = (stage: SshStage) => {
    seen.stage = stage;
    options.onStage?.(stage);
  };
  return new Promise((resolve, reject) => {
    const settle = (error?: unknown) => {
      signal.removeEventListener("abort", stop);
      client.removeAllListeners("error").removeAllListeners("close");
      if (error === undefined) {
        resolve();
        return;
      }
      // Late errors of what is being torn down have nobody to tell.
      client.on("error", () => {});
      socket.on("error", () => {}).destroy();
      reject(error);
    };
    const stop = () => settle(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    client.on("handshake", () => reached("host key"));
    client.on("ready", () => {
      reached("login");
      settle();
    });
    client.on("close", () => settle(explain(handshake, seen, new Error("the server hung up"))));
    client.on("error", (error: Error & { level?: string }) => {
      if (!isPassing(error)) settle(explain(handshake, seen, error));
    });
    client.connect(configOf(handshake, seen));
    // Listened to after ssh2 has paused the socket: a first listener would start the flow without it.
    socket.once("data", () => reached("greeting"));
  });
}

function configOf({ socket, target, policy, identities, options }: Handshake, seen: Seen): ConnectConfig {
  const left = [...identities.usable];
  return {
    // Its type asks for a Readable; ssh2 writes to it too.
    sock: socket,
    username: target.user,
    readyTimeout: options.handshakeTimeoutMs ?? 30_000,
    keepaliveInterval: options.keepAliveMs ?? 15_000,
    keepaliveCountMax: options.keepAliveCount ?? 3,
    algorithms: {
      serverHostKey: [...policy.algorithms] as NonNullable<ConnectConfig["algorithms"]>["serverHostKey"] &
        object,
    },
    // Without it ssh2 takes any key.
    hostVerifier: (key: Buffer) => {
      seen.keyVerdict = policy.judge(key);
      return seen.keyVerdict === undefined;
    },
    authHandler: (methods: readonly string[] | null) => {
      if (methods) seen.takes = methods.join(", ");
      const identity = left.shift();
      if (identity === undefined) return false;
      seen.tried.push(identity.label);
      return identity.method;
    },
  };
}

/** ssh2 reports these and goes on to the next key by itself. */
function isPassing(error: Error & { level?: string }): boolean {
  if (error.level === "agent") return true;
  return error.level === "client-authentication" && !error.message.startsWith("All configured");
}

function explain(
  { target, identities, options }: Handshake,
  seen: Seen,
  error: Error & { level?: string },
): Error {
  const host = targetName(target);
  if (seen.keyVerdict) return seen.keyVerdict;
  if (error.message.startsWith("Timed out while")) {
    const seconds = Math.ceil((options.handshakeTimeoutMs ?? 30_000) / 1000);
    return new ProvisionError(
      "SSH_TIMED_OUT",
      { host, stage: awaited[seen.stage], seconds },
      { cause: error },
    );
  }
  // The server says no by its answer, or by hanging up with a word (its codes are numbers).
  const refused =
    error.level === "client-authentication" || typeof (error as { code?: unknown }).code === "number";
  if (seen.stage !== "host key" || !refused)
    return new ProvisionError("SSH_HANDSHAKE_FAILED", { host, reason: error.message }, { cause: error });
  const [locked] = identities.locked;
  if (locked !== undefined)
    return new ProvisionError("KEY_ENCRYPTED", { host, file: locked }, { cause: error });
  const tried = seen.tried.join(", ") || "no key: there is none in ~/.ssh and none in the agent";
  const takes = error.level === undefined ? `no more: ${error.message}` : seen.takes || "nothing";
  return new ProvisionError("LOGIN_REFUSED", { host, user: target.user, tried, takes }, { cause: error });
}
