import type { FactAnswer, FactRequest } from "../core/facts.ts";
import type { Host } from "../core/host.ts";
import type { Output } from "../core/task.ts";

/** One flight that only looks. */
export async function ask(host: Host, facts: readonly FactRequest[]): Promise<readonly FactAnswer[]> {
  return (await host.fly({ orders: [], facts })).answers;
}

/** What a program printed that only looks; throws when it could not be run. */
export async function look(host: Host, ...argv: [string, ...string[]]): Promise<string> {
  const [answer] = await ask(host, [{ kind: "query", about: { argv } }]);
  if (answer === undefined || "unknown" in answer) {
    throw new Error(`Cannot run ${argv[0]} on ${host.name}: ${answer?.unknown ?? "no answer"}`);
  }
  return (answer.value as Output).stdout;
}
