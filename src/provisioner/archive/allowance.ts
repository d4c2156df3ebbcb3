import type { Limits } from "./archive-input.ts";
import { Refusal } from "./refusal.ts";

const MIB = 1024 ** 2;

/** What one archive may come to, which its own size has a say in. */
export class Allowance {
  readonly #entries: number;
  readonly #bytes: number;
  readonly #packed: number;

  constructor(limits: Limits, packed: number) {
    this.#entries = limits.entries;
    this.#bytes = Math.min(limits.bytes, Math.max(64 * MIB, limits.ratio * packed));
    this.#packed = packed;
  }

  /** Throws when this many are too many. */
  allowEntries(entries: number): void {
    if (entries > this.#entries)
      throw new Refusal(
        "content",
        `must hold at most ${this.#entries} files, directories and links, holds more`,
      );
  }

  /** Throws when this many bytes are too many; `entry` is where that was noticed. */
  allowBytes(bytes: number, entry?: string): void {
    if (bytes <= this.#bytes) return;
    throw new Refusal(
      "content",
      `must unpack from ${mib(this.#packed)} to at most ${mib(this.#bytes)}, comes to ${mib(bytes)} or more`,
      entry === undefined ? {} : { entry },
    );
  }
}

function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}
