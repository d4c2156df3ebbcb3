import { createHash } from "node:crypto";

import { factKey, type FactAnswer, type FactRequest } from "../../src/provisioner/core/facts.ts";
import {
  HostLost,
  type Flight,
  type FlightResult,
  type Host,
  type Landing,
  type Order,
} from "../../src/provisioner/core/host.ts";

/** The smallest machine the engine can be tried on: files, sysctls, and a record of every flight. */
export class MapHost implements Host {
  readonly name = "test@map";
  readonly files = new Map<string, string>();
  readonly sysctls = new Map<string, string>();
  readonly unknown = new Map<string, string>();
  readonly flights: { orders: string[]; facts: string[] }[] = [];
  /** Called before a flight lands; throws `HostLost` to lose it, changes files to be somebody else. */
  before: (flight: number) => void = () => {};
  /** What `run` does; an exit code, or nothing for 0. */
  programs: (argv: readonly string[]) => number | void = () => {};
  /** Set: the orders are carried out, but the connection breaks before the answer. */
  loseAnswerOf: number | undefined;
  reconnects = 0;
  /** What happens to the machine while it is away; `true` when it was booted anew. */
  away: () => boolean = () => false;

  async fly({ orders, facts }: Flight): Promise<FlightResult> {
    const number = this.flights.length;
    this.flights.push({
      orders: orders.map(({ action }) => label(action)),
      facts: facts.map((f) => factKey(f)),
    });
    this.before(number);
    const landings: Landing[] = [];
    for (const order of orders) {
      const failed = landings.some(({ kind }) => kind !== "done");
      landings.push(failed ? { kind: "skipped" } : this.#carryOut(order));
    }
    if (this.loseAnswerOf === number) throw new HostLost("cut");
    return { landings, answers: facts.map((fact) => this.#answer(fact)) };
  }

  async reconnect(): Promise<{ rebooted: boolean }> {
    this.reconnects += 1;
    return { rebooted: this.away() };
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #carryOut({ action, expects }: Order): Landing {
    if (action.kind === "run") {
      const code = this.programs(action.command.argv) ?? 0;
      return code === 0 ? { kind: "done" } : { kind: "failed", code, tail: "it broke" };
    }
    if (action.kind === "write") {
      const found = this.files.get(action.path);
      const digest = found === undefined ? null : createHash("sha256").update(found).digest("hex");
      if (expects !== undefined && expects !== digest) return { kind: "changed-underneath" };
      this.files.set(action.path, action.text);
    }
    if (action.kind === "upload") this.files.set(action.path, `uploaded ${action.source.sha256}`);
    if (action.kind === "remove") this.files.delete(action.path);
    return { kind: "done" };
  }

  #answer(fact: FactRequest): FactAnswer {
    const key = factKey(fact);
    const reason = this.unknown.get(key);
    if (reason !== undefined) return { unknown: reason };
    if (fact.kind === "file") return { value: this.files.get(fact.about) };
    if (fact.kind === "sysctl") return { value: this.sysctls.get(fact.about) };
    return { unknown: `a map has no ${fact.kind}` };
  }
}

function label(action: Order["action"]): string {
  return action.kind === "run" ? `run ${action.command.argv.join(" ")}` : `${action.kind} ${action.path}`;
}
