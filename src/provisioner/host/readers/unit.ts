import type { FactAnswer } from "../../core/facts.ts";
import type { UnitState } from "../../core/task.ts";
import { quote } from "../quote.ts";
import { usual, whyFailed, type Reader } from "./reader.ts";

const properties = ["LoadState", "ActiveState", "UnitFileState", "NeedDaemonReload"];

/** Systemd units, by one systemctl: it prints a block for each, in order, whether there is such a unit or not. */
export const unit: Reader = {
  kind: "unit",
  ...usual,
  // A pattern would print as many blocks as it matches.
  refuse: (name) =>
    /^[A-Za-z0-9_:.@\\][A-Za-z0-9_:.@\\-]*$/.test(name) ? undefined : "is not the name of a unit",
  script: (names) => `t systemctl show --no-pager -p ${properties.join(",")} -- ${quote(names)}`,

  parse(section, names) {
    const failed = whyFailed(section);
    const blocks = section.stdout
      .toString()
      .trim()
      .split(/\n\n+/)
      .map((block) => new Map(block.split("\n").map((line) => pair(line))));
    return names.map((_, at): FactAnswer => {
      if (failed) return { unknown: failed };
      if (blocks.length !== names.length)
        return { unknown: "systemctl did not print one block for each unit" };
      return stateOf(blocks[at] ?? new Map<string, string>());
    });
  },
};

function stateOf(block: ReadonlyMap<string, string>): FactAnswer {
  const [load, active, enabled, reload] = properties.map((name) => block.get(name));
  if (!load || !active || enabled === undefined || reload === undefined) {
    return { unknown: "systemctl did not print all that was asked" };
  }
  return { value: { load, active, enabled, needsReload: reload === "yes" } satisfies UnitState };
}

function pair(line: string): [string, string] {
  const at = line.indexOf("=");
  return [line.slice(0, at), line.slice(at + 1)];
}
