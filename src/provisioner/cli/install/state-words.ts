import type { ToolState } from "../../tools/inspect-tool.ts";

/** How a tool stands to its pin, in a word or two. */
export function stateWords(state: ToolState, version: string): string {
  switch (state.kind) {
    case "as-wanted":
      return "as wanted";
    case "absent":
      return "not installed";
    case "damaged":
      return "damaged";
    case "other": {
      const order = numerically.compare(version, state.installed);
      if (order === 0) return "pinned anew";
      return order > 0 ? "newer is pinned" : "older is pinned";
    }
    default:
      return state satisfies never;
  }
}

/** The version in use; nothing when none is. */
export function installedVersion(state: ToolState, version: string): string | undefined {
  if (state.kind === "absent") return undefined;
  return state.kind === "other" ? state.installed : version;
}

/** Versions as people count them: 1.10 comes after 1.9. */
const numerically = new Intl.Collator("en", { numeric: true });
