import { basename } from "node:path";

import type { ExtraKind } from "../core/tool-pin.ts";

/** Names that say what a file is and not whose: `completions/bash`. */
const nameless = new Set(["bash", "zsh", "fish", "completion", "completions", "complete", "autocomplete"]);

/** Where a file that comes beside a command goes, as a path of the prefix: where man(1) and the shells look. */
export function extraPlace(
  from: string,
  to: ExtraKind,
  owner: { readonly tool: string; readonly command: string },
): string {
  const name = basename(from);
  switch (to) {
    case "man1":
    case "man5":
    case "man8":
      return `share/man/${to}/${name}`;
    case "bash":
      return `share/bash-completion/completions/${completed(name, owner.command)}`;
    case "zsh":
      return `share/zsh/site-functions/_${completed(name, owner.command)}`;
    case "fish":
      return `share/fish/vendor_completions.d/${completed(name, owner.command)}.fish`;
    case "doc":
      return `share/doc/${owner.tool}/${name}`;
    default:
      return to satisfies never;
  }
}

/** The command that a file of completions is for: `rg` of `rg.bash`, `_rg`, `rg.fish` and `rg.bash-completion`. */
function completed(name: string, command: string): string {
  const bare = name.replace(/^_/, "").replace(/\.(bash|zsh|fish|sh)(-completion)?$|[.-]completion$/, "");
  return bare === "" || nameless.has(bare) ? command : bare;
}

/** Paths that a pattern stands for: `*` is anything but a slash. */
export function matching(pattern: string, paths: readonly string[]): readonly string[] {
  const words = pattern.split("*").map((word) => word.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`));
  const expression = new RegExp(`^${words.join("[^/]*")}$`);
  return paths.filter((path) => expression.test(path)).toSorted();
}
