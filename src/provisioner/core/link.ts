import { ProvisionError } from "./errors.ts";
import { HostLost, type Flight, type FlightResult, type Host } from "./host.ts";
import type { Run } from "./run.ts";
import { until } from "./until.ts";

/** Connections that may be lost on end without a flight landing in between. */
const LOSSES = 3;

/** A host with its flights counted and its losses bounded. */
export interface Link {
  readonly flights: number;
  readonly facts: number;
  /** One flight; `HostLost` comes through, `comeBack` is next. */
  fly(flight: Flight): Promise<FlightResult>;
  /** The same, for a flight without orders: it is sent again on a new connection. */
  ask(flight: Pick<Flight, "facts">): Promise<FlightResult>;
  /**
   * Waits for the host after a loss. `times` counts those of one piece of work: what cuts the line whenever it is
   * done is given up, although the reads in between succeed. Whatever else stands in the way, another machine at the
   * host's address or a login that is refused, is given `patienceMs` to pass.
   */
  comeBack(loss: HostLost, times?: number, patienceMs?: number): Promise<{ readonly rebooted: boolean }>;
  /** Drops the connection and makes a new one, with the same patience: proof that the host can still be reached. */
  renew(patienceMs: number): Promise<void>;
}

export function openLink(host: Host, run: Run): Link {
  let flights = 0;
  let facts = 0;
  let losses = 0;
  const say = lineByLine((line) => run.report({ kind: "output", step: run.step, line }));

  async function fly(flight: Flight): Promise<FlightResult> {
    run.signal.throwIfAborted();
    const started = run.now();
    flights += 1;
    facts += flight.facts.length;
    const result = await orStop(
      host.fly(flight, (_order, text) => say(text)),
      run.signal,
    );
    losses = 0;
    const ms = run.now() - started;
    run.report({
      kind: "flight",
      step: run.step,
      orders: flight.orders.length,
      facts: flight.facts.length,
      ms,
    });
    return result;
  }

  async function comeBack(loss: HostLost, times = 0, patienceMs = 0): Promise<{ rebooted: boolean }> {
    losses += 1;
    if (Math.max(losses, times) > LOSSES) throw lost(host, loss);
    run.note(`Lost ${host.name} (${loss.message}); coming back`, "warning");
    return reconnect(patienceMs);
  }

  async function reconnect(patienceMs: number): Promise<{ rebooted: boolean }> {
    let last: unknown;
    const back = await until(
      async () => {
        try {
          return await host.reconnect((_order, text) => say(text));
        } catch (error) {
          // One that stays away has been waited for.
          if (!(error instanceof ProvisionError) || error.code === "HOST_LOST") throw error;
          last = error;
          return undefined;
        }
      },
      { deadlineMs: patienceMs, pauseMs: 2000, signal: run.signal, now: run.now },
    );
    if (!back) throw last;
    if (back.rebooted) run.note(`${host.name} rebooted underneath; everything is read again`, "warning");
    return back;
  }

  return {
    get flights() {
      return flights;
    },
    get facts() {
      return facts;
    },
    fly,
    comeBack,
    async renew(patienceMs) {
      await reconnect(patienceMs);
    },
    async ask(flight) {
      for (;;) {
        try {
          return await fly({ orders: [], ...flight });
        } catch (error) {
          if (!(error instanceof HostLost)) throw error;
          await comeBack(error);
        }
      }
    },
  };
}

function lost(host: Host, loss: HostLost): ProvisionError {
  return new ProvisionError(
    "HOST_LOST",
    { host: host.name, reason: loss.message },
    { where: host.name, cause: loss },
  );
}

/** Cuts a stream of text into lines; apt's carriage returns end one too. */
function lineByLine(say: (line: string) => void): (text: string) => void {
  let rest = "";
  return (text) => {
    const lines = (rest + text).split(/\r\n|\n|\r/);
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") say(line);
  };
}

/** Gives up waiting when the run is stopped; closing the host ends the rest. */
async function orStop<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop: (() => void) | undefined;
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([work, stopped]);
  } finally {
    if (stop) signal.removeEventListener("abort", stop);
  }
}
