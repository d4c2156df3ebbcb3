import { ProvisionError } from "../core/errors.ts";
import type { Complaint } from "../core/errors.ts";
import type { Event } from "../core/events.ts";
import { exitBug } from "./exit-code.ts";

/** What a thrown thing means to people, programs and the shell. */
export interface Failure {
  readonly event: Extract<Event, { kind: "error" }>;
  readonly exitCode: number;
  /** What was thrown first, out of what clean-up wrapped around it. */
  readonly first: unknown;
  /** What went wrong while cleaning up after it. */
  readonly cleanUp: readonly string[];
}

/** Reads what was thrown. Anything that is no ProvisionError is a bug and keeps its stack. */
export function readFailure(thrown: unknown): Failure {
  const { first, later } = unwrap(thrown);
  const cleanUp = later.map((error) => (error instanceof Error ? error.message : String(error)));
  if (!(first instanceof ProvisionError)) return { event: bug(first), exitCode: exitBug, first, cleanUp };
  const { complaints } = first.facts as { complaints?: readonly Complaint[] };
  return {
    event: {
      kind: "error",
      code: first.code,
      message: first.message,
      mend: first.mend,
      ...(first.where !== undefined && { where: first.where }),
      ...(complaints !== undefined && { complaints }),
    },
    exitCode: first.exitCode,
    first,
    cleanUp,
  };
}

function bug(thrown: unknown): Failure["event"] {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  return {
    kind: "error",
    code: "BUG",
    message: error.message,
    mend: "Report this with the log of the run",
    stack: withCauses(error),
  };
}

function withCauses(error: Error): string {
  const stack = error.stack ?? error.message;
  return error.cause instanceof Error ? `${stack}\ncaused by ${withCauses(error.cause)}` : stack;
}

/** `await using` wraps what clean-up throws around what it cleaned up after; the first thing is the reason. */
function unwrap(thrown: unknown): { readonly first: unknown; readonly later: readonly unknown[] } {
  if (!(thrown instanceof Error) || thrown.name !== "SuppressedError") return { first: thrown, later: [] };
  const { error, suppressed } = thrown as Error & { error: unknown; suppressed: unknown };
  const inner = unwrap(suppressed);
  return { first: inner.first, later: [...inner.later, error] };
}
