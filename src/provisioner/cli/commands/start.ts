import { defineCommand, helpEnd } from "../command.ts";
import type { HostFlags } from "../hosts/choose-hosts.ts";
import { declareHosts, type WidthFlags } from "../hosts/host-options.ts";
import { runSession } from "../session.ts";

type Flags = HostFlags & WidthFlags;

export const start = defineCommand<Flags>({
  declare(command) {
    declareHosts(command)
      .description(
        "Has hosts run, with their networks. What runs already is left alone, and one that is paused goes on.",
      )
      .addHelpText(
        "after",
        helpEnd(["provision start web", "provision start --limit role=server"], [0, 2, 4, 5, 130]),
      );
  },
  act({ shell, flags, operands }) {
    const command = ["start", ...operands].join(" ");
    return runSession({ shell, flags, command }, async (session) => {
      const [{ findHosts }, { readWidth }, { openHypervisors }, { workOnHosts }, { startHost }] =
        await Promise.all([
          import("../hosts/find-hosts.ts"),
          import("../hosts/width.ts"),
          import("../hosts/hypervisors.ts"),
          import("../hosts/work-on-hosts.ts"),
          import("../../deploy/start-host.ts"),
        ]);
      const width = readWidth(flags.parallel);
      await using hypervisors = openHypervisors(shell);
      const hosts = await findHosts(operands, flags, shell, hypervisors);
      return await workOnHosts({ hosts, hypervisors, width, work: startHost }, session);
    });
  },
});
