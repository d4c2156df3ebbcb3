import type { Duplex } from "node:stream";

import ssh2 from "ssh2";

import { ProvisionError } from "../core/errors.ts";
import type { ConnectOptions } from "./connect-options.ts";
import { dial, dialThrough } from "./dial.ts";
import { hostKeyPolicy } from "./host-key-policy.ts";
import { shakeHands } from "./handshake.ts";
import { SshConnection } from "./ssh-connection.ts";
import { identitiesOf } from "./ssh-keys.ts";
import { targetName, type SshTarget } from "./ssh-target.ts";

/** Logs in: one attempt per key, no retries (servers lock out who knocks too often). Jump hosts first. */
export async function connectSsh(target: SshTarget, options: ConnectOptions): Promise<SshConnection> {
  let through: SshConnection | undefined;
  try {
    for (const jump of target.jumps)
      through = await connectHop(jump, through, { ...options, onStage: () => {} });
    return await connectHop(target, through, options);
  } catch (error) {
    await through?.[Symbol.asyncDispose]();
    throw error;
  }
}

async function connectHop(
  target: SshTarget,
  through: SshConnection | undefined,
  options: ConnectOptions,
): Promise<SshConnection> {
  options.signal.throwIfAborted();
  // All that can be found wrong without the network is found first.
  const [policy, identities] = await Promise.all([hostKeyPolicy(target), identitiesOf(target)]);
  const [locked] = identities.locked;
  if (identities.usable.length === 0 && locked !== undefined)
    throw new ProvisionError("KEY_ENCRYPTED", { host: targetName(target), file: locked });
  const dialling = { timeoutMs: options.connectTimeoutMs ?? 15_000, signal: options.signal };
  const socket: Duplex = through
    ? await dialThrough(through, target, dialling)
    : await dial(target, dialling);
  options.onStage?.("tcp");
  const client = new ssh2.Client();
  await shakeHands({ client, socket, target, policy, identities, options });
  return new SshConnection({ client, socket, name: targetName(target), user: target.user, through });
}
