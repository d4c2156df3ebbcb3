import type { FactAnswer, FactRequest } from "../../core/facts.ts";
import type { Host } from "../../core/host.ts";
import { openLink, type Link } from "../../core/link.ts";
import type { Run } from "../../core/run.ts";
import { until } from "../../core/until.ts";
import type { Assertion, GuestCheck, Visit } from "./clause.ts";
import { type Claims, promised } from "./contract.ts";
import { printed, query } from "./guest-clauses.ts";

/** What each promise was judged by, by its id: what must stay is compared with it after the next reboot. */
export type Seen = ReadonlyMap<string, readonly unknown[]>;

/** Holds a booted image to the contract; everything is asked in one flight. */
export async function checkGuest(
  host: Host,
  visit: Visit,
  options: { readonly claims: Claims; readonly earlier: Seen | undefined; readonly run: Run },
): Promise<{ readonly assertions: readonly Assertion[]; readonly seen: Seen }> {
  const { claims, earlier, run } = options;
  const link = openLink(host, run);
  await untilUp(link, run);
  const checks = promised(claims).flatMap(({ id, what, guest }) =>
    guest && guest.from <= visit.boot ? [{ id, what, guest, asks: guest.asks(visit) }] : [],
  );
  const { answers } = await link.ask({ facts: checks.flatMap(({ asks }) => asks) });
  const rest = [...answers];
  const seen = new Map<string, readonly unknown[]>();
  const assertions = checks.map(({ id, what, guest, asks }): Assertion => {
    const own = rest.splice(0, asks.length);
    seen.set(id, own.map(valueOf));
    return { promise: id, what, against: judge(guest, own, visit, earlier?.get(id)) };
  });
  return { assertions, seen };
}

function judge(
  guest: GuestCheck,
  answers: readonly FactAnswer[],
  visit: Visit,
  earlier: readonly unknown[] | undefined,
): readonly string[] {
  const unknown = answers.flatMap((answer) => ("unknown" in answer ? [answer.unknown] : []));
  if (unknown.length > 0) return unknown.map((reason) => `cannot be known: ${reason}`);
  return guest.against(answers.map(valueOf), visit, earlier);
}

function valueOf(answer: FactAnswer | undefined): unknown {
  return answer && "value" in answer ? answer.value : undefined;
}

const state: FactRequest = query("systemctl", "is-system-running");

/** SSH opens before the last units are through: `starting` is no answer yet. */
async function untilUp(link: Link, run: Run): Promise<void> {
  await until(
    async () => {
      const { answers } = await link.ask({ facts: [state] });
      return /^(starting|initializing)$/.test(printed(valueOf(answers[0]))) ? undefined : true;
    },
    { deadlineMs: 300_000, pauseMs: 1000, longestMs: 5000, signal: run.signal },
  );
}
