import { ProvisionError } from "../../core/errors.ts";
import { defineCommand, helpEnd } from "../command.ts";
import type { HostFlags } from "../hosts/choose-hosts.ts";
import { connectOption } from "../hosts/host-options.ts";
import { runSession } from "../session.ts";

type Flags = Pick<HostFlags, "connect"> & { readonly lines?: string; readonly follow?: boolean };

const usualLines = 40;

export const consoleCommand = defineCommand<Flags>({
  declare(command) {
    command
      .description(
        "Shows the end of a host's serial console: what its firmware, boot loader and kernel print, and its login prompt. " +
          "It is a log: nothing can be typed into it. virtlogd begins it anew at 2 MiB.",
      )
      .argument("<HOST>", "a host of hosts/, or a deployed one that has no file there")
      .option("-n, --lines <n>", `how many lines (default: ${usualLines})`)
      .option("-f, --follow", "go on with what it prints, until Ctrl-C")
      .option(...connectOption)
      .addHelpText(
        "after",
        helpEnd(
          ["provision console web", "provision console web --lines 200", "provision console web --follow"],
          [0, 2, 4, 5],
        ),
      );
  },
  act({ shell, flags, operands }) {
    return runSession({ shell, flags, command: "console", quiet: true }, async (session) => {
      const lines = linesFrom(flags.lines);
      const [{ findHosts }, { openHypervisors }, { showConsole }] = await Promise.all([
        import("../hosts/find-hosts.ts"),
        import("../hosts/hypervisors.ts"),
        import("../hosts/show-console.ts"),
      ]);
      await using hypervisors = openHypervisors(shell);
      const [host] = await findHosts(operands, flags, shell, hypervisors);
      if (host === undefined) throw new Error("One host must be named");
      return await showConsole({ host, hypervisors, lines, follow: flags.follow ?? false }, session);
    });
  },
});

function linesFrom(text: string = String(usualLines)): number {
  const lines = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (lines >= 1) return lines;
  throw new ProvisionError("USAGE", {
    what: `Cannot accept --lines: must be a number above 0, is "${text}"`,
    mend: "Give a number, as in --lines 100",
  });
}
