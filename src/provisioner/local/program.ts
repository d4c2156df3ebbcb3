import process from "node:process";

import type { ExecaError } from "execa";

import { ProvisionError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";

/** What a program of this machine gets besides its arguments. */
interface ProgramOptions {
  readonly run: Run;
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  /** Called with each line it prints, on either stream. */
  readonly onLine?: (line: string) => void;
  readonly cwd?: string;
  /** It starts programs of its own that must end with it: a stop is told to them all, and insisted on. */
  readonly family?: boolean;
}

const INSIST_AFTER_MS = 10_000;

/**
 * Runs a program of this machine and gives its standard output. Throws PROGRAM_FAILED with its last lines, or
 * PROGRAM_MISSING; a stopped run ends it.
 */
export async function program(
  argv: readonly [string, ...string[]],
  options: ProgramOptions,
): Promise<string> {
  const [file, ...args] = argv;
  const { run, input, env, timeoutMs, cwd, onLine, family } = options;
  // A hundred files, which a run that only talks by SSH does without.
  const { execa, ExecaError } = await import("execa");
  run.signal.throwIfAborted();
  const child = execa(file, args, {
    // mkfs and its kin are in sbin, which ordinary users do not have on their path.
    env: { LC_ALL: "C", LANGUAGE: "", PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`, ...env },
    input: input ?? "",
    ...(family ? { detached: true, cleanup: false } : { cancelSignal: run.signal }),
    maxBuffer: 64 * 1024 * 1024,
    ...(timeoutMs !== undefined && { timeout: timeoutMs }),
    ...(cwd !== undefined && { cwd }),
  });
  if (onLine) for (const stream of [child.stdout, child.stderr]) stream.on("data", splitLines(onLine));
  using _stop = family ? stopFamily(child.pid, run.signal) : undefined;
  try {
    const { stdout } = await child;
    run.signal.throwIfAborted();
    return stdout;
  } catch (error) {
    run.signal.throwIfAborted();
    throw error instanceof ExecaError ? told(argv, error) : error;
  }
}

/** Gives whole lines: a piece of output may end anywhere. */
function splitLines(onLine: (line: string) => void): (data: Buffer) => void {
  let rest = "";
  return (data) => {
    const lines = (rest + data.toString()).split(/[\r\n]+/);
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") onLine(line);
  };
}

/** Ends a process group when the run is stopped. */
function stopFamily(pid: number | undefined, signal: AbortSignal): Disposable {
  let insist: NodeJS.Timeout | undefined;
  const tell = (word: NodeJS.Signals) => {
    try {
      if (pid !== undefined) process.kill(-pid, word);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  };
  const stop = () => {
    tell("SIGTERM");
    insist = setTimeout(() => tell("SIGKILL"), INSIST_AFTER_MS);
  };
  signal.addEventListener("abort", stop, { once: true });
  return {
    [Symbol.dispose]: () => {
      signal.removeEventListener("abort", stop);
      clearTimeout(insist);
    },
  };
}

function told(argv: readonly [string, ...string[]], error: ExecaError): ProvisionError {
  if (error.code === "ENOENT")
    return new ProvisionError("PROGRAM_MISSING", { program: argv[0] }, { cause: error });
  const tail = `${error.stdout as string}\n${error.stderr as string}`
    .trim()
    .split("\n")
    .slice(-15)
    .join("\n");
  const why = error.timedOut
    ? "did not end in time"
    : `must exit 0, is ${error.exitCode ?? error.signal ?? "gone"}`;
  return new ProvisionError("PROGRAM_FAILED", { program: argv.join(" "), why, tail }, { cause: error });
}
