import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";

import { ProvisionError } from "../core/errors.ts";
import type { ArchiveFile } from "./archive-file.ts";
import { Refusal, short } from "./refusal.ts";

/** What a program of this machine, given the file as its standard input, prints. It has ended when this has. */
export async function* decompressWith(
  [program, ...args]: readonly [string, ...string[]],
  { descriptor, signal }: ArchiveFile,
): AsyncGenerator<Buffer> {
  signal.throwIfAborted();
  const stdio = [descriptor, "pipe", "pipe"] as const;
  const child = spawn(program, args, { stdio: [...stdio] }) as ChildProcessByStdio<null, Readable, Readable>;
  const ended = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  // A failure to start is waited for below; until then it must not count as one that nobody heard of.
  ended.catch(() => {});
  const complaint = lastWords(child.stderr);
  const stop = () => child.kill("SIGKILL");
  signal.addEventListener("abort", stop, { once: true });
  try {
    for await (const piece of child.stdout) yield piece as Buffer;
    const [code, killed] = await ended.catch((error: unknown) => {
      throw missing(program, error);
    });
    signal.throwIfAborted();
    if (code !== 0)
      throw new Refusal(
        "damage",
        `must be undamaged, ${program} says: ${complaint() || `exit ${code ?? killed}`}`,
      );
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
    await ended.catch(() => {});
  }
}

/** Keeps a little of what is printed. */
function lastWords(stream: Readable): () => string {
  let text = "";
  stream.on("data", (data: Buffer) => {
    text = (text + data.toString()).slice(-1000);
  });
  return () => short(text.trim().split("\n").at(-1) ?? "");
}

function missing(program: string, error: unknown): unknown {
  return (error as NodeJS.ErrnoException).code === "ENOENT"
    ? new ProvisionError("ARCHIVE_TOOL_MISSING", { program }, { cause: error })
    : error;
}
