/** One kind of error: what there is to say about it, once its facts are known. */
export interface Entry<Facts> {
  /** The number the shell gets. */
  readonly exit: number;
  readonly say: (facts: Facts) => string;
  /** What to do: an order that can be carried out. */
  readonly mend: (facts: Facts) => string;
}

/** Ties the facts of an entry to its words. */
export function entry<Facts>(value: Entry<Facts>): Entry<Facts> {
  return value;
}
