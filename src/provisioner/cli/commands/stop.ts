import { defineCommand, helpEnd } from "../command.ts";
import type { HostFlags } from "../hosts/choose-hosts.ts";
import { declareHosts, type WidthFlags } from "../hosts/host-options.ts";
import { runSession } from "../session.ts";

type Flags = HostFlags & WidthFlags & { readonly force?: boolean };

export const stop = defineCommand<Flags>({
  declare(command) {
    declareHosts(command)
      .description(
        "Has hosts off: asks each by ACPI and waits until it has powered itself off. One that does not obey in time has " +
          "its plug pulled, and that is said. What is off already is left alone.",
      )
      .option("--force", "pull the plug at once: what a host has not written yet is lost")
      .addHelpText(
        "after",
        helpEnd(
          ["provision stop web", "provision stop --all --parallel 8", "provision stop web --force"],
          [0, 2, 4, 5, 130],
        ),
      );
  },
  act({ shell, flags, operands }) {
    const command = ["stop", ...operands, ...(flags.force === true ? ["--force"] : [])].join(" ");
    return runSession({ shell, flags, command }, async (session) => {
      const [{ findHosts }, { readWidth }, { openHypervisors }, { workOnHosts }, { stopHost }] =
        await Promise.all([
          import("../hosts/find-hosts.ts"),
          import("../hosts/width.ts"),
          import("../hosts/hypervisors.ts"),
          import("../hosts/work-on-hosts.ts"),
          import("../../deploy/stop-host.ts"),
        ]);
      const width = readWidth(flags.parallel);
      await using hypervisors = openHypervisors(shell);
      const hosts = await findHosts(operands, flags, shell, hypervisors);
      const force = flags.force ?? false;
      return await workOnHosts(
        { hosts, hypervisors, width, work: (driver, host, run) => stopHost(driver, host, { force, run }) },
        session,
      );
    });
  },
});
