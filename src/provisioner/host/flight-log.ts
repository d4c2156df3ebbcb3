import type { FactAnswer, FactRequest } from "../core/facts.ts";
import { factKey } from "../core/facts.ts";
import type { Flight, FlightResult, Landing, OnOutput } from "../core/host.ts";
import { cleanOutput } from "./clean-output.ts";
import { answer, answerUnknown, type Frame } from "./compile-flight.ts";
import type { FrameEvents } from "./frame-parser.ts";
import { LastLines } from "./last-lines.ts";

/** How much of what an order printed its landing keeps, in bytes. */
const tailBytes = 4096;
/** How much of a section's standard error is kept, in bytes. */
const errorBytes = 256 * 1024;

/** Takes what comes back of a flight, piece by piece, in memory that does not grow with what orders print. */
export class FlightLog implements FrameEvents {
  readonly #flight: Flight;
  readonly #frame: Frame;
  readonly #onOutput: OnOutput;
  readonly #landings: Landing[] = [];
  #decoder = new TextDecoder();
  #tail = new LastLines(tailBytes);
  #stdout = new Keeper(0);
  #stderr = new Keeper(errorBytes);
  #inErrors = false;
  #sections = 0;

  constructor(flight: Flight, frame: Frame, onOutput: OnOutput) {
    this.#flight = flight;
    this.#frame = frame;
    this.#onOutput = onOutput;
    this.#openSection();
  }

  data(bytes: Buffer): void {
    if (this.#ordersAreOver()) {
      (this.#inErrors ? this.#stderr : this.#stdout).take(bytes);
      return;
    }
    this.#tail.take(bytes);
    this.#say(this.#decoder.decode(bytes, { stream: true }));
  }

  mark([kind, ...words]: readonly string[]): void {
    if (kind === "landed") this.#land(words[1] ?? "", Number(words[2]));
    if (kind === "errors") this.#inErrors = true;
    if (kind === "section") this.#endSection(Number(words[1]), words[2] === "1");
  }

  /** The whole of it, once the frame has ended with this code. */
  result(code: number): FlightResult {
    const { groups, answers } = this.#frame;
    if (!this.#ordersAreOver()) this.#land("failed", code);
    for (const group of groups.slice(this.#sections)) {
      answerUnknown(group, `the worker stopped before it was read (code ${code})`, answers);
    }
    const lost: FactAnswer = { unknown: "it was not read" };
    return {
      landings: this.#flight.orders.map((_, at) => this.#landings[at] ?? { kind: "skipped" }),
      answers: this.#flight.facts.map((fact: FactRequest) => answers.get(factKey(fact)) ?? lost),
    };
  }

  #ordersAreOver(): boolean {
    const last = this.#landings.at(-1);
    return (
      this.#landings.length === this.#flight.orders.length || (last !== undefined && last.kind !== "done")
    );
  }

  #land(word: string, code: number): void {
    this.#say(this.#decoder.decode());
    const tail = cleanOutput(this.#tail.bytes).trim();
    this.#landings.push(landingOf(word, code, tail));
    this.#decoder = new TextDecoder();
    this.#tail = new LastLines(tailBytes);
  }

  #say(text: string): void {
    const order = this.#flight.orders[this.#landings.length];
    if (text !== "" && order) this.#onOutput(order.id, text);
  }

  #openSection(): void {
    const cap = this.#frame.groups[this.#sections]?.reader.cap ?? 0;
    this.#stdout = new Keeper(cap);
    this.#stderr = new Keeper(errorBytes);
    this.#inErrors = false;
  }

  #endSection(code: number, late: boolean): void {
    const group = this.#frame.groups[this.#sections];
    if (group) {
      const { bytes: stdout, size, truncated } = this.#stdout;
      const stderr = this.#stderr.bytes.toString();
      answer(group, { stdout, size, stderr, code, late, truncated }, this.#frame.answers);
    }
    this.#sections += 1;
    this.#openSection();
  }
}

function landingOf(word: string, code: number, tail: string): Landing {
  if (word === "done") return { kind: "done" };
  if (word === "timed-out") return { kind: "timed-out", tail };
  if (word === "changed") return { kind: "changed-underneath" };
  return { kind: "failed", code, tail };
}

/** Keeps the first bytes of a stream and drops the rest. */
class Keeper {
  readonly #cap: number;
  readonly #pieces: Buffer[] = [];
  #kept = 0;
  size = 0;

  constructor(cap: number) {
    this.#cap = cap;
  }

  take(bytes: Buffer): void {
    const room = this.#cap - this.#kept;
    this.size += bytes.length;
    if (room <= 0) return;
    // Copied: a piece of what the socket read would keep all of it alive.
    this.#pieces.push(Buffer.from(bytes.subarray(0, room)));
    this.#kept += Math.min(room, bytes.length);
  }

  get truncated(): boolean {
    return this.size > this.#cap;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#pieces);
  }
}
