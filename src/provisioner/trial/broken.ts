/** Thrown by a proof that does not hold: what was wanted and what was got, and what to do. */
export class Broken extends Error {
  readonly mend: string;

  constructor(found: string, mend: string) {
    super(found);
    this.name = "Broken";
    this.mend = mend;
  }
}
