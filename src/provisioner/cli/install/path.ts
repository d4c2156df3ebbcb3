import { join } from "node:path";

import type { Run } from "../../core/run.ts";
import type { Prefix } from "../../tools/prefix.ts";
import { prefixAt } from "../../tools/prefix.ts";
import { isOnPath, pathLine, removePathBlock, startFile, writePathBlock } from "../../tools/shell-path.ts";
import { runSession } from "../session.ts";
import type { Shell } from "../shell.ts";
import type { InstallFlags } from "./flags.ts";
import { prefixRoot } from "./words.ts";

/** Does what --write-path and --no-write-path say, and nothing else. */
export function changePath(shell: Shell, flags: InstallFlags): Promise<number> {
  const command = flags.writePath === true ? "install --write-path" : "install --no-write-path";
  return runSession({ shell, flags, command, quiet: true }, async ({ result }) => {
    const told = settle(shell, flags, prefixAt(prefixRoot(flags, shell)));
    result(told, { file: startFile(shell), text: told });
    return "as-wanted";
  });
}

/** The same beside other work. */
export function settlePath(shell: Shell, flags: InstallFlags, run: Run, prefix: Prefix): void {
  run.note(settle(shell, flags, prefix));
}

/** Says how commands are found, when they are not. */
export function hintPath(shell: Shell, run: Run, { root }: Prefix): void {
  const bin = join(root, "bin");
  if (isOnPath(bin, shell)) return;
  run.note(
    `${bin} is not on PATH: \`provision install --write-path\` writes this into ${startFile(shell)}: ${pathLine(bin, shell)}`,
    "warning",
  );
}

function settle(shell: Shell, { writePath }: InstallFlags, { root }: Prefix): string {
  const bin = join(root, "bin");
  const file = startFile(shell);
  if (writePath === false)
    return removePathBlock(shell)
      ? `${file} has no block of provision any more`
      : `${file} has no block of provision`;
  if (writePathBlock(bin, shell)) return `${file} puts ${bin} on PATH, for shells that start from now on`;
  return `${file} puts ${bin} on PATH already`;
}
