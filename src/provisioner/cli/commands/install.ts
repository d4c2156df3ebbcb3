import { defineCommand, helpEnd } from "../command.ts";
import { type InstallFlags, modeOf } from "../install/flags.ts";

const examples = [
  "provision install                      pick from the tools of versions.yaml",
  "provision install bat fd ripgrep       install these, or bring them to their pins",
  "AUTOMATIC=1 provision install          install all of them, without asking",
  "provision install --list",
  "provision install --check              what would be installed; ends 3 when there is something",
  "provision install --rollback ripgrep   back to the version before; again goes forth",
  "provision install --offline --from /media/usb/tools",
  "sudo provision install --system go     for the whole machine, into /usr/local",
];

export const install = defineCommand<InstallFlags>({
  declare(command) {
    command
      .description(
        "Installs the tools that versions.yaml pins, for you alone and without root, each checked against its digest. " +
          "Every version lies in a store of its own under PREFIX/share/provision, and the prefix gets links to it: an " +
          "upgrade is one rename, and the version before is kept. On a terminal it asks which tools; what is as wanted " +
          "is left alone. A file of somebody else is never touched: with --force it is put into " +
          "share/provision/replaced, where it stays when the tool is removed.",
      )
      .argument("[TOOL...]", "names under `tools:` in versions.yaml")
      .option("--yes", "install all of them without asking; AUTOMATIC=1 does the same")
      .option("--list", "show what is pinned and what is installed, and change nothing")
      .option("--check", "say what would be installed, and change nothing")
      .option("--uninstall", "remove the named tools with everything they brought")
      .option("--rollback", "bring the named tools back to the version before")
      .option("--prefix <dir>", "where they go (default: ~/.local, with --system /usr/local)")
      .option("--system", "for the whole machine, with the tools that are marked `system`")
      .option("--force", "install again what is as wanted, and put aside what is in the way")
      .option("--offline", "use no network: cache and --from only")
      .option("--from <dir>", "look first in this folder, written by `provision fetch --out`")
      .option(
        "--write-path",
        "put PREFIX/bin on PATH in the file of your login shell; without names only that",
      )
      .option("--no-write-path", "take that out again")
      .addHelpText("after", helpEnd(examples, [0, 2, 3, 5, 130]));
  },
  async act({ shell, flags, operands }) {
    switch (modeOf(flags, operands)) {
      case "list":
        return (await import("../install/list.ts")).listTools(shell, flags, operands);
      case "uninstall":
        return (await import("../install/remove.ts")).removeTools(shell, flags, operands);
      case "rollback":
        return (await import("../install/remove.ts")).rollBackTools(shell, flags, operands);
      case "path":
        return (await import("../install/path.ts")).changePath(shell, flags);
      default:
        return (await import("../install/bring.ts")).bringTools(shell, flags, operands);
    }
  },
});
