import type { Facts } from "./task.ts";

/** What can be asked of the target machine, by kind. Plain data: it travels, and it is compared by `factKey`. */
export type FactRequest = {
  [Kind in MachineKind]: { readonly kind: Kind; readonly about: Parameters<Facts[Kind]>[0] };
}[MachineKind];

type MachineKind = Exclude<
  keyof Facts,
  "source" | "sourceText" | "template" | "tool" | "driver" | "repository" | "secret"
>;

/** Known, absent (`value: undefined`), or unknown with the reason. */
export type FactAnswer = { readonly value: unknown } | { readonly unknown: string };

/** Thrown into a `read` whose fact cannot be known. Unknown is never absent. */
export class FactUnknown extends Error {
  readonly key: string;
  readonly reason: string;

  constructor(key: string, reason: string) {
    super(`Cannot know ${key}: ${reason}`);
    this.name = "FactUnknown";
    this.key = key;
    this.reason = reason;
  }
}

/** The name of a fact: `file:/etc/hosts`. Two requests of one name are one request. */
export function factKey(request: FactRequest): string {
  const about = typeof request.about === "string" ? request.about : JSON.stringify(request.about);
  return `${request.kind}:${about}`;
}
