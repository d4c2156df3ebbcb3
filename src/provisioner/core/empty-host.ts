import { osReleaseOf, osReleasePath } from "./distribution.ts";
import type { FactAnswer, FactRequest } from "./facts.ts";
import type { Host, Landing } from "./host.ts";
import { traitsOf } from "./traits.ts";

/**
 * A machine that has nothing, for planning without one: files, packages and users are absent, units not found.
 * A program that is asked is not there, so that what only it could tell counts as not yet so.
 * Of what it will be, only the distribution may be known: `debian-13`.
 */
export function emptyHost(distribution?: string): Host {
  return {
    name: "an empty machine",
    fly: async ({ orders, facts }) => ({
      landings: orders.map((): Landing => ({
        kind: "failed",
        code: 127,
        tail: "this machine takes no orders",
      })),
      answers: facts.map((fact) =>
        fact.kind === "file" && fact.about === osReleasePath && distribution !== undefined
          ? { value: osReleaseOf(distribution, traitsOf(distribution)?.codename) }
          : answer(fact),
      ),
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
      return { value: { code: 127, stdout: "", stderr: "" } };
    default:
      return kind satisfies never;
  }
}
