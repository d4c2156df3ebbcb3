import { factKey, FactUnknown, type FactAnswer, type FactRequest } from "./facts.ts";
import type { Sources } from "./sources.ts";
import type { Facts } from "./task.ts";

/** Asks the machine: one flight, answers in the order of the requests. */
export type AskMachine = (requests: readonly FactRequest[]) => Promise<readonly FactAnswer[]>;

/** What one `read` asked for, by key. */
export type Asked = Map<string, FactRequest>;

/**
 * What is known of a machine. Requests of all the reads that wait at one moment go out together: task code only
 * ever awaits facts, so once the microtasks have run dry everybody waits, and the next turn of the loop sends.
 */
export class FactBook {
  readonly #ask: AskMachine;
  readonly #sources: Sources;
  readonly #known = new Map<string, { readonly request: FactRequest; readonly answer: FactAnswer }>();
  readonly #waiting = new Map<string, Waiting>();
  /** Work on the controller's side that a read awaits: sending waits for it, or it would cost a flight more. */
  readonly #local = new Set<Promise<unknown>>();
  #sending = false;

  constructor(ask: AskMachine, sources: Sources) {
    this.#ask = ask;
    this.#sources = sources;
  }

  /**
   * The facts as one `read` sees them; what it asks for is noted in `asked`. `gate` comes before each question to
   * the machine, and throws when the read is not to go on.
   */
  facts(asked: Asked, gate: () => void = () => {}): Facts {
    const ask = <Value>(request: FactRequest): Promise<Value> => {
      gate();
      asked.set(factKey(request), request);
      return this.#answer(request) as Promise<Value>;
    };
    return {
      file: (about) => ask({ kind: "file", about }),
      stat: (about) => ask({ kind: "stat", about }),
      digest: (about) => ask({ kind: "digest", about }),
      package: (about) => ask({ kind: "package", about }),
      sysctl: (about) => ask({ kind: "sysctl", about }),
      unit: (about) => ask({ kind: "unit", about }),
      user: (about) => ask({ kind: "user", about }),
      group: (about) => ask({ kind: "group", about }),
      mount: (about) => ask({ kind: "mount", about }),
      module: (about) => ask({ kind: "module", about }),
      query: (about) => ask({ kind: "query", about }),
      source: (path) => this.#nearby(this.#sources.source(path)),
      sourceText: (path) => this.#nearby(this.#sources.text(path)),
      template: async (name, variables) => this.#sources.template(name, variables),
      tool: (name) => this.#nearby(this.#sources.tool(name)),
      repository: (name) => this.#nearby(this.#sources.repository(name)),
      driver: (name) => this.#nearby(this.#sources.driver(name)),
      secret: (source) => this.#nearby(this.#sources.secret(source)),
    };
  }

  /** The answer in the book, if there is one. */
  known(request: FactRequest): FactAnswer | undefined {
    return this.#known.get(factKey(request))?.answer;
  }

  /** Writes down answers that came along with something else. */
  learn(requests: readonly FactRequest[], answers: readonly FactAnswer[]): void {
    requests.forEach((request, index) => {
      const answer = answers[index] ?? { unknown: "the machine did not answer" };
      this.#known.set(factKey(request), { request, answer });
    });
  }

  /** Drops the facts that `stale` names; everything when left out. */
  forget(stale: (request: FactRequest) => boolean = () => true): void {
    for (const [key, { request }] of this.#known) if (stale(request)) this.#known.delete(key);
  }

  async #answer(request: FactRequest): Promise<unknown> {
    const key = factKey(request);
    const answer = this.#known.get(key)?.answer ?? (await this.#wait(key, request));
    if ("unknown" in answer) throw new FactUnknown(key, answer.unknown);
    return answer.value;
  }

  #wait(key: string, request: FactRequest): Promise<FactAnswer> {
    const found = this.#waiting.get(key);
    if (found) return found.promise;
    let settle: Pick<Waiting, "resolve" | "reject"> | undefined;
    const promise = new Promise<FactAnswer>((resolve, reject) => {
      settle = { resolve, reject };
    });
    if (settle) this.#waiting.set(key, { request, promise, ...settle });
    if (!this.#sending) {
      this.#sending = true;
      setImmediate(() => void this.#send());
    }
    return promise;
  }

  async #send(): Promise<void> {
    while (this.#local.size > 0) {
      await Promise.allSettled(this.#local);
      await turn();
    }
    const batch = [...this.#waiting.values()];
    this.#waiting.clear();
    try {
      const requests = batch.map(({ request }) => request);
      this.learn(requests, await this.#ask(requests));
      for (const { request, resolve } of batch) resolve(this.known(request) ?? { unknown: "no answer" });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
    await turn();
    if (this.#waiting.size > 0) await this.#send();
    else this.#sending = false;
  }

  async #nearby<T>(work: Promise<T>): Promise<T> {
    this.#local.add(work);
    try {
      return await work;
    } finally {
      this.#local.delete(work);
    }
  }
}

interface Waiting {
  readonly request: FactRequest;
  readonly promise: Promise<FactAnswer>;
  readonly resolve: (answer: FactAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/** One turn of the event loop: every microtask that can run has run. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
