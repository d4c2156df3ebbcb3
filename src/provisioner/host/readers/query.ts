import type { Command, Output } from "../../core/task.ts";
import { exports } from "../orders/run-order.ts";
import { quote, quoteWord, whyUnsendable } from "../quote.ts";
import { lines, whyFailed, type Reader } from "./reader.ts";

const cap = 1024 * 1024;

/** Programs that only look: a section each. Any exit code is an answer; no such program is none. */
export const query: Reader<Command> = {
  kind: "query",
  limitMs: 120_000,
  cap,
  most: 1,
  refuse: ({ argv, stdin = "" }) => {
    // env(1), which starts it, would take it for a variable.
    if (argv[0].includes("=")) return 'a program must not have "=" in its name';
    const why = [...argv, stdin].map(whyUnsendable).find((found) => found !== undefined);
    return why && `its text ${why}`;
  },
  script: (commands) =>
    commands
      .map((command) =>
        [
          `printf %s ${quoteWord(command.stdin ?? "")} >"$d/in"`,
          `( ${exports({ command })}inquire ${quote(command.argv)} ) <"$d/in"`,
          `read -r rc late <"$d/rc"`,
        ].join("\n"),
      )
      .join("\n"),

  parse(section, commands) {
    const bounds = whyFailed({ ...section, code: 0 });
    // timeout(1) and env(1) say it themselves, GNU's and busybox's each in its words.
    const missing =
      section.code === 126 || section.code === 127
        ? lines(section.stderr).find((line) =>
            /^(?:env|timeout): (?:'|‘|can't execute|failed to run)/.test(line),
          )
        : undefined;
    return commands.map(() => {
      if (bounds) return { unknown: bounds };
      if (missing) return { unknown: `tool missing: ${missing}` };
      const value: Output = { code: section.code, stdout: section.stdout.toString(), stderr: section.stderr };
      return { value };
    });
  },
};
