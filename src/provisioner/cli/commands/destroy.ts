import { defineCommand, helpEnd } from "../command.ts";
import type { HostFlags } from "../hosts/choose-hosts.ts";
import { declareHosts, type WidthFlags } from "../hosts/host-options.ts";
import { runSession } from "../session.ts";

type Flags = HostFlags & WidthFlags & { readonly purge?: boolean; readonly yes?: boolean };

export const destroy = defineCommand<Flags>({
  declare(command) {
    declareHosts(command)
      .description(
        "Removes hosts: machine, firmware settings, seed, console log, the address that their networks keep for them, and " +
          "their line in provision's known_hosts. Their disks stay unless --purge is given. Says what will be lost and asks " +
          "before. A domain of that name that provision did not deploy is refused.",
      )
      .option(
        "--purge",
        "remove their disks too, with all that is on them; also those that are left of a host that has no machine any more",
      )
      .option("-y, --yes", "do not ask")
      .addHelpText(
        "after",
        helpEnd(["provision destroy web", "provision destroy web db --purge --yes"], [0, 2, 4, 5, 7, 130]),
      );
  },
  act({ shell, flags, operands }) {
    const command = ["destroy", ...operands, ...(flags.purge === true ? ["--purge"] : [])].join(" ");
    return runSession({ shell, flags, command }, async (session) => {
      const [{ findHosts }, { readWidth }, { openHypervisors }, { destroyHosts }] = await Promise.all([
        import("../hosts/find-hosts.ts"),
        import("../hosts/width.ts"),
        import("../hosts/hypervisors.ts"),
        import("../hosts/destroy-hosts.ts"),
      ]);
      const width = readWidth(flags.parallel);
      await using hypervisors = openHypervisors(shell);
      const hosts = await findHosts(operands, flags, shell, hypervisors);
      const { purge = false, yes = false } = flags;
      return await destroyHosts({ hosts, hypervisors, purge, yes, width }, session, shell);
    });
  },
});
