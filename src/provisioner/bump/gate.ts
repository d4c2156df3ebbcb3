import { ProvisionError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";

/** What all requests to one API pass: whoever meets a limit closes the way for all. */
export interface Gate {
  /** Waits while the API wants no requests; throws when it will want none for long. */
  pass(): Promise<void>;
  /** Closes for a while; a long while ends the run. */
  closeFor(ms: number, hasToken: boolean): void;
  /** Closes for good. */
  shut(error: ProvisionError): void;
}

const longestWaitMs = 60_000;

/** A gate that is open. */
export function openGate(options: {
  readonly base: string;
  readonly run: Run;
  readonly now: () => number;
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
}): Gate {
  const { base, run, now, pause } = options;
  let closedUntil = 0;
  let shut: ProvisionError | undefined;
  return {
    async pass() {
      for (;;) {
        if (shut) throw shut;
        const ms = closedUntil - now();
        if (ms <= 0) return;
        await pause(ms, run.signal);
      }
    },
    closeFor(ms, token) {
      const until = now() + ms;
      if (ms > longestWaitMs) {
        const time = new Date(until).toISOString().replace(/\.\d+Z$/, "Z");
        shut = new ProvisionError("API_LIMITED", { api: base, until: time, token });
        throw shut;
      }
      if (until > closedUntil) run.note(`${base} asks to wait ${Math.ceil(ms / 1000)} s`);
      closedUntil = Math.max(closedUntil, until);
    },
    shut(error) {
      shut = error;
    },
  };
}
