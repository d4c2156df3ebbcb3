import type { FactAnswer, FactRequest } from "./facts.ts";
import type { Host, Landing } from "./host.ts";

/**
 * A machine that has nothing, for planning without one: files, packages and users are absent, units not found.
 * What only a program could tell is unknown.
 */
export function emptyHost(): Host {
  return {
    name: "an empty machine",
    fly: async ({ orders, facts }) => ({
      landings: orders.map((): Landing => ({
        kind: "failed",
        code: 127,
        tail: "this machine takes no orders",
      })),
      answers: facts.map(answer),
    }),
    reconnect: async () => ({ rebooted: false }),
    [Symbol.asyncDispose]: async () => {},
  };
}

function answer({ kind }: FactRequest): FactAnswer {
  switch (kind) {
    case "file":
    case "stat":
    case "digest":
    case "package":
    case "sysctl":
    case "user":
    case "group":
    case "mount":
      return { value: undefined };
    case "module":
      return { value: false };
    case "unit":
      return { value: { load: "not-found", active: "inactive", enabled: "", needsReload: false } };
    case "query":
      return { unknown: "there is no machine to ask" };
    default:
      return kind satisfies never;
  }
}
