const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

/**
 * Keeps the last whole lines of a stream, as many as fit. A line whose beginning is gone may begin with half a secret,
 * which nobody would know for one; the log of the run has it whole.
 */
export class LastLines {
  readonly #longest: number;
  #kept: Buffer = Buffer.alloc(0);
  /** The line that comes in has lost its beginning. */
  #isCut = false;

  /** In bytes. */
  constructor(longest: number) {
    this.#longest = longest;
  }

  take(bytes: Buffer): void {
    const all = Buffer.concat([this.#kept, this.#isCut ? this.#fromNextLine(bytes) : bytes]);
    const isTooLong = all.length > this.#longest;
    // One byte more: where that one ends a line, all the rest is whole.
    this.#kept = isTooLong ? this.#fromNextLine(all.subarray(-this.#longest - 1)) : all;
  }

  get bytes(): Buffer {
    return this.#kept;
  }

  #fromNextLine(bytes: Buffer): Buffer {
    const end = bytes.findIndex((byte) => byte === LINE_FEED || byte === CARRIAGE_RETURN);
    this.#isCut = end === -1;
    return end === -1 ? Buffer.alloc(0) : bytes.subarray(end + 1);
  }
}
