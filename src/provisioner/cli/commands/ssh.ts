import { ProvisionError } from "../../core/errors.ts";
import { defineCommand, helpEnd } from "../command.ts";
import { runSession } from "../session.ts";

interface Flags {
  readonly connect?: string;
  readonly identity?: string;
}

export const ssh = defineCommand<Flags>({
  declare(command) {
    command
      .description(
        "Logs in to a deployed host with ssh, as the first of its users with sudo: finds its address, goes through " +
          "its hypervisor where that is the way, and takes no host key but the one that provision made for it.",
      )
      .argument("<HOST>", "host, by name")
      .argument("[COMMAND...]", "what to run there instead of a login shell, behind --")
      .option("--identity <file>", "log in with this key alone")
      .option("--connect <uri>", "libvirt of a host whose file names none (default: qemu:///system)")
      .addHelpText(
        "after",
        helpEnd(["provision ssh host01", "provision ssh host01 -- sudo journalctl -b -p warning"], [0, 2, 4]),
      );
  },
  async act({ shell, flags, operands: [name = "", ...command] }) {
    let words: readonly [string, ...string[]] | undefined;
    const ended = await runSession({ shell, flags, command: `ssh ${name}`, quiet: true }, async ({ run }) => {
      const { findLine } = await import("../find-line.ts");
      const { sshWords } = await import("../../deploy/ssh-words.ts");
      const { target, knownHosts } = await findLine(name, { shell, flags, run });
      words = sshWords(target, { knownHosts, command });
      return "as-wanted";
    });
    if (words === undefined) return ended;
    const { handOver } = await import("../../local/hand-over.ts");
    const exitCode = await handOver(words);
    if (exitCode !== 127 || command.length > 0) return exitCode;
    throw new ProvisionError("USAGE", {
      what: "Cannot log in: the program ssh must be there, is not",
      mend: "Install Debian's package openssh-client",
    });
  },
});
