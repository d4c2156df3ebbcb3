import type { Shell } from "../../src/provisioner/cli/shell.ts";

/** A shell that keeps what is written to it. */
export interface FakeShell extends Shell {
  readonly out: string[];
  readonly err: string[];
  /** What the process would print when a second signal came now. */
  left(): string;
  /** What the process would print of a text that nobody caught. */
  bug(text: string): string;
}

/** A shell in memory; its state folder is `home`. */
export function fakeShell(
  home: string,
  env: Readonly<Record<string, string>> = {},
): FakeShell & {
  stop(): void;
} {
  const out: string[] = [];
  const err: string[] = [];
  const controller = new AbortController();
  let left: (() => string) | undefined;
  let clean = (text: string): string => text;
  return {
    out,
    err,
    stdout: { write: (text) => out.push(text), isTTY: false },
    stderr: { write: (text) => err.push(text), isTTY: false },
    terminal: () => undefined,
    env,
    cwd: home,
    home,
    user: "alice",
    isRoot: false,
    machine: "desk",
    pid: 1234,
    signal: controller.signal,
    onHurry(tell) {
      left = tell;
    },
    onBug(better) {
      clean = better;
    },
    left: () => left?.() ?? "",
    bug: (text) => clean(text),
    ask: async () => undefined,
    stop: () => controller.abort(),
  };
}
