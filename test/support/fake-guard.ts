import { guardPlace, guardRoot } from "../../src/provisioner/core/guard.ts";
import type { Command } from "../../src/provisioner/core/task.ts";
import type { Ending, FakeHost } from "./fake-host.ts";

interface Kept {
  readonly token: string;
  readonly files: Map<string, string | undefined>;
  /** Everything about units that a guard's text could bring back. */
  readonly restore: string;
}

/** The guards of a fake machine: armed ones, and those that took their change back. */
export class FakeGuards {
  readonly #host: FakeHost;
  readonly #armed = new Map<string, Kept>();
  readonly #takenBack = new Map<string, { readonly token: string; readonly code: number }>();
  /** What bringing back into effect ends with. */
  restoreCode = 0;
  /** The texts that were run to bring things back into effect. */
  readonly restored: string[] = [];

  constructor(host: FakeHost) {
    this.#host = host;
  }

  /** Names of those that are armed. */
  get armed(): readonly string[] {
    return [...this.#armed.keys()];
  }

  /** `provision-guard arm NAME TOKEN SECONDS PATH…`, `… confirm NAME`, `… take-back NAME` */
  run([, verb = "", name = "", token = "", , ...paths]: readonly string[], { stdin = "" }: Command): Ending {
    if (verb === "arm") return this.#arm(name, token, paths, stdin);
    if (verb === "confirm") return this.#confirm(name);
    return this.expire(name);
  }

  /** The time of a guard is over; gives the exit code. */
  expire(name: string): number {
    const kept = this.#armed.get(name);
    if (!kept) return 0;
    const { files } = this.#host;
    for (const [path, text] of kept.files) {
      if (text === undefined) files.remove(path);
      else files.write(path, text);
    }
    this.restored.push(kept.restore);
    this.#gone(name);
    this.#takenBack.set(name, { token: kept.token, code: this.restoreCode });
    return this.restoreCode;
  }

  #arm(name: string, token: string, paths: readonly string[], restore: string): Ending {
    const { files } = this.#host;
    const earlier = this.#takenBack.get(name);
    if (earlier?.token === token) return told(earlier.code);
    const armed = this.#armed.get(name);
    if (!armed) this.#takenBack.delete(name);
    const now = paths.map((path) => [path, files.read(path)] as const);
    const kept = new Map([...now, ...(armed?.files ?? [])]);
    this.#armed.set(name, { token, files: kept, restore: armed?.restore ?? restore });
    files.directory(guardRoot, { mode: "0700" });
    files.directory(guardPlace(name), { mode: "0700" });
    return 0;
  }

  #confirm(name: string): Ending {
    const takenBack = this.#takenBack.get(name);
    if (this.#armed.has(name)) this.#gone(name);
    else if (takenBack) return told(takenBack.code);
    return 0;
  }

  #gone(name: string): void {
    this.#armed.delete(name);
    this.#host.files.remove(guardPlace(name));
  }
}

function told(code: number): Ending {
  return code === 0 ? 3 : { code: 4, stdout: "it does not start" };
}
