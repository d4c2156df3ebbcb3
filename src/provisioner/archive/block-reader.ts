import { Refusal } from "./refusal.ts";

const nothing = Buffer.alloc(0);
const zeros = Buffer.alloc(64 * 1024);

/** Takes pieces of any length and gives them out in the lengths that are asked for. */
export class BlockReader {
  readonly #pieces: AsyncIterator<Buffer>;
  #piece: Buffer = nothing;

  constructor(pieces: AsyncIterable<Buffer>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  /** The next bytes; `undefined` at the end. Throws when the end comes in between. */
  async read(length: number): Promise<Buffer | undefined> {
    if (this.#piece.length === 0 && !(await this.#fill())) return undefined;
    if (this.#piece.length >= length) return this.#cut(length);
    const parts: Buffer[] = [];
    await this.pass(length, (part) => {
      parts.push(part);
    });
    return Buffer.concat(parts);
  }

  /** Gives away the next bytes as they come. */
  async pass(length: number, give: (part: Buffer) => Promise<void> | void): Promise<void> {
    for (let left = length; left > 0;) {
      if (this.#piece.length === 0 && !(await this.#fill()))
        throw new Refusal("damage", "must be whole, is cut off");
      const part = this.#cut(Math.min(left, this.#piece.length));
      left -= part.length;
      await give(part);
    }
  }

  /** Whether only zeros are left. Reads to the end, so that a checksum there is looked at. */
  async endsInZeros(): Promise<boolean> {
    do {
      if (!isZero(this.#piece)) return false;
    } while (await this.#fill());
    return true;
  }

  /** Ends what the pieces come from. */
  async close(): Promise<void> {
    await this.#pieces.return?.();
  }

  #cut(length: number): Buffer {
    const part = this.#piece.subarray(0, length);
    this.#piece = this.#piece.subarray(length);
    return part;
  }

  async #fill(): Promise<boolean> {
    const { done, value } = await this.#pieces.next();
    this.#piece = done ? nothing : value;
    // A piece without bytes is no end.
    return done ? false : value.length > 0 || this.#fill();
  }
}

/** Whether there is nothing but zeros. */
export function isZero(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at += zeros.length) {
    const part = bytes.subarray(at, at + zeros.length);
    if (!part.equals(zeros.subarray(0, part.length))) return false;
  }
  return true;
}
