/** What is wrong with an archive: it is another kind of file, it is incomplete, or nobody should unpack it. */
export type Fault = "kind" | "damage" | "content";

/** Why an archive is not unpacked. Readers and checks throw it; they need not know what the archive is called. */
export class Refusal extends Error {
  readonly fault: Fault;
  /** The member that it is about. */
  readonly entry: string | undefined;

  constructor(fault: Fault, reason: string, options: ErrorOptions & { readonly entry?: string } = {}) {
    super(reason, options);
    this.name = "Refusal";
    this.fault = fault;
    this.entry = options.entry === undefined ? undefined : short(options.entry);
  }
}

/** A foreign name, not longer than a line takes. */
export function short(name: string): string {
  return name.length > 120 ? `${name.slice(0, 119)}…` : name;
}
