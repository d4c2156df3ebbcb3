import { ProvisionError } from "../../core/errors.ts";
import type { CommonFlags } from "../command.ts";

/** What `install` can be told. */
export interface InstallFlags extends CommonFlags {
  readonly yes?: boolean;
  readonly system?: boolean;
  readonly prefix?: string;
  readonly force?: boolean;
  readonly offline?: boolean;
  readonly from?: string;
  readonly check?: boolean;
  readonly list?: boolean;
  readonly uninstall?: boolean;
  readonly rollback?: boolean;
  /** True to write the block, false to remove it. */
  readonly writePath?: boolean;
}

/** What is to be done. */
export type InstallMode = "install" | "check" | "list" | "uninstall" | "rollback" | "path";

/** Reads what is to be done out of the flags; two things at once are a mistake. */
export function modeOf(flags: InstallFlags, names: readonly string[]): InstallMode {
  const modes = (["check", "list", "uninstall", "rollback"] as const).filter((mode) => flags[mode] === true);
  const [mode, second] = modes;
  if (second !== undefined)
    throw new ProvisionError("USAGE", {
      what: `Cannot read the command line: --${mode} and --${second} exclude each other`,
      mend: `Use one of them`,
    });
  if ((mode === "uninstall" || mode === "rollback") && names.length === 0)
    throw new ProvisionError("USAGE", {
      what: `Cannot read the command line: --${mode} must name its tools, names none`,
      mend: "Name them; `provision install --list` shows what is installed",
    });
  const pathAlone = flags.writePath !== undefined && names.length === 0 && flags.yes !== true;
  return mode ?? (pathAlone ? "path" : "install");
}
