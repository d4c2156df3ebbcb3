import { StringDecoder } from "node:string_decoder";

import type { Run } from "../core/run.ts";
import { pause } from "../core/until.ts";
import { cleanConsole } from "../libvirt/console.ts";
import type { DeployedHost, HostDriver } from "./deployed-host.ts";

/** virtlogd begins a console log anew at 2 MiB. */
const most = 2 * 1024 ** 2;
const everyMs = 1000;

/** A host's console log: a volume of its pool. */
export interface ConsoleLog {
  /** Its last lines, cleaned, and where what comes after them begins. */
  end(lines: number): Promise<{ readonly lines: readonly string[]; readonly size: number }>;
  /** Gives what comes from a byte on, line by line, until the run is stopped. */
  follow(
    from: number,
    say: (lines: readonly string[]) => void,
    run: Run,
    sleep?: typeof pause,
  ): Promise<void>;
}

export function consoleLogOf(
  { pools, volumes }: Pick<HostDriver, "pools" | "volumes">,
  { mark, facts }: Pick<DeployedHost, "mark" | "facts">,
): ConsoleLog {
  const { pool } = mark.host;
  const path = facts.console ?? "";
  const name = path.slice(path.lastIndexOf("/") + 1);
  return {
    async end(wanted) {
      await pools.open(pool);
      const size = await volumes.length(pool, name);
      const bytes = await volumes.readFrom(pool, name, Math.max(0, size - most));
      // What came in between belongs to it.
      return {
        lines: linesOf(bytes.toString("utf8")).slice(-wanted),
        size: Math.max(0, size - most) + bytes.length,
      };
    },
    async follow(from, say, run, sleep = pause) {
      let at = from;
      const cut = lineCutter(say);
      while (!run.signal.aborted) {
        const size = await volumes.length(pool, name);
        // It was begun anew.
        if (size < at) at = 0;
        const bytes = size > at ? await volumes.readFrom(pool, name, at) : Buffer.alloc(0);
        at += bytes.length;
        if (bytes.length > 0) cut.take(bytes);
        else cut.flush();
        await sleep(everyMs, run.signal).catch(() => {});
      }
      cut.flush();
    },
  };
}

/** Whole lines out of bytes as they come; what stands at the end without one, a prompt, is given when no more comes. */
function lineCutter(say: (lines: readonly string[]) => void): {
  take(bytes: Buffer): void;
  flush(): void;
} {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  const tell = (text: string) => {
    const lines = linesOf(text);
    if (lines.length > 0) say(lines);
  };
  return {
    take(bytes) {
      const text = rest + decoder.write(bytes);
      const end = text.lastIndexOf("\n") + 1;
      rest = text.slice(end);
      tell(text.slice(0, end));
    },
    flush() {
      tell(rest);
      rest = "";
    },
  };
}

function linesOf(text: string): readonly string[] {
  const clean = cleanConsole(text);
  return clean === "" ? [] : clean.split("\n");
}
