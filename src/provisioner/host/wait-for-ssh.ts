import { ProvisionError } from "../core/errors.ts";
import { pause, until } from "../core/until.ts";
import type { ConnectOptions, SshStage } from "./connect-options.ts";
import { connectSsh } from "./ssh-connect.ts";
import type { SshConnection } from "./ssh-connection.ts";
import type { SshTarget } from "./ssh-target.ts";

/** A guest that is booting, and how long it may take. Times in milliseconds. */
export interface WaitForSsh extends Omit<ConnectOptions, "onStage"> {
  /** For messages: the domain's name. */
  readonly name: string;
  /** Where the guest may be, best guess first. Asked anew each time: a lease can change while it boots. */
  readonly addresses: () => Promise<readonly string[]>;
  readonly targetAt: (address: string) => SshTarget;
  /** Grows while the guest is alive: bytes on its serial console. */
  readonly progress: () => number | Promise<number>;
  /** Give up when nothing was reached and `progress` stood still for so long. */
  readonly quietMs: number;
  /** Give up in any case. */
  readonly deadlineMs: number;
  /** True once the guest says it is set up: from then on a refused login is final. */
  readonly ready?: () => boolean | Promise<boolean>;
  /** Last lines of the console, for the error. */
  readonly consoleTail?: () => Promise<string>;
  /** For tests: the way to connect, the clock, the pause and the dice. */
  readonly connect?: typeof connectSsh;
  readonly now?: () => number;
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly random?: () => number;
}

const stages: readonly SshStage[] = ["tcp", "greeting", "host key", "login"];

/**
 * Logs in to a guest as soon as it lets us. Every attempt is a whole login, 2 s or more apart: servers lock out
 * who connects often and never logs in. A wrong host key ends it at once; a refused login does when the guest is
 * ready, for cloud-init makes the user late.
 */
export async function waitForSsh(options: WaitForSsh): Promise<SshConnection> {
  const now = options.now ?? (() => performance.now());
  const started = now();
  const watch: Watch = {
    best: -1,
    progress: -1,
    lastSign: started,
    refusals: 0,
    last: "it has no address yet",
  };
  const sleep = options.sleep ?? pause;
  const random = options.random ?? Math.random;
  let quiet = false;
  const connection = await until(
    async () => {
      const found = await attempt(options, watch);
      if (found) return found;
      await noteProgress(options, watch, now());
      quiet = now() - watch.lastSign >= options.quietMs;
      return quiet ? null : undefined;
    },
    {
      deadlineMs: options.deadlineMs,
      pauseMs: 2000,
      factor: 1.3,
      longestMs: 6000,
      signal: options.signal,
      now,
      // Spread out: guests started together do not knock together.
      sleep: (ms, signal) => sleep(Math.max(2000, ms) * (1 + random() / 4), signal),
    },
  );
  if (connection) return connection;
  throw new ProvisionError("SSH_NOT_UP", {
    host: options.name,
    stage: stages[watch.best] ?? "no answer on any address",
    seconds: Math.round((now() - started) / 1000),
    reason: watch.last,
    tail: (await options.consoleTail?.()) ?? "",
  });
}

interface Watch {
  /** Index of the furthest stage any attempt reached. */
  best: number;
  progress: number;
  lastSign: number;
  /** Refused logins since the guest said it is ready. */
  refusals: number;
  last: string;
}

/** One round over all addresses. */
async function attempt(options: WaitForSsh, watch: Watch): Promise<SshConnection | undefined> {
  const ready = (await options.ready?.()) ?? false;
  let wrongKey: ProvisionError | undefined;
  let refused: ProvisionError | undefined;
  for (const address of await options.addresses()) {
    try {
      const onStage = (stage: SshStage) => {
        const reached = stages.indexOf(stage);
        if (reached <= watch.best) return;
        watch.best = reached;
        watch.lastSign = (options.now ?? (() => performance.now()))();
      };
      return await (options.connect ?? connectSsh)(options.targetAt(address), { ...options, onStage });
    } catch (error) {
      options.signal.throwIfAborted();
      if (!(error instanceof ProvisionError)) throw error;
      watch.last = error.message;
      // A stale lease leads to another machine: its key is wrong, and the guest may be at the next address.
      if (error.code.startsWith("HOST_KEY_")) wrongKey = error;
      if (error.code === "LOGIN_REFUSED") refused = error;
    }
  }
  if (wrongKey) throw wrongKey;
  if (refused && ready && ++watch.refusals >= 2) throw refused;
  return undefined;
}

async function noteProgress(options: WaitForSsh, watch: Watch, now: number): Promise<void> {
  const progress = await options.progress();
  if (progress > watch.progress) watch.lastSign = now;
  watch.progress = progress;
}
