import { type ChangeFlags, defineCommand, directOption, helpEnd } from "../command.ts";
import type { HostFlags } from "../hosts/choose-hosts.ts";
import { declareHosts, type WidthFlags } from "../hosts/host-options.ts";
import type { DeployFlags } from "../open-deployment.ts";
import { runSession } from "../session.ts";

type Flags = DeployFlags & ChangeFlags & HostFlags & WidthFlags;

export const deploy = defineCommand<Flags>({
  declare(command) {
    declareHosts(command)
      .description(
        "Brings hosts to what their files in hosts/ say: makes the machine from its image, or changes it in place, " +
          "then settles users, keys and tasks over SSH, and reads again to prove it.",
      )
      .option("--check", "say what would change, and change nothing")
      .option("--diff", "show texts that change as diffs")
      .option("--only <use...>", "settle these tasks or uses alone; * stands for anything")
      .option("--skip <use...>", "leave these out")
      .option("--replace", "make a system disk anew where that is what it takes; says what is lost, and asks")
      .option("-y, --yes", "replace, and install what this machine lacks, without asking")
      .option("--identity <file>", "log in with this key alone")
      .option("--keep-on-error", "leave a new host that does not come up, to look into it")
      .option(...directOption)
      .option("--accel <kvm|tcg|auto>", "what runs new hosts; PROVISION_ACCEL does the same")
      .addHelpText(
        "after",
        helpEnd(
          [
            "provision deploy host01",
            "provision deploy host01 --check --diff",
            "provision deploy --all --parallel 8",
            "provision deploy --limit role=server --only 'wireguard*'",
          ],
          [0, 2, 3, 4, 5, 6, 7, 130],
        ),
      );
  },
  act({ shell, flags, operands }) {
    const command = ["deploy", ...operands, ...(flags.check === true ? ["--check"] : [])].join(" ");
    return runSession({ shell, flags, command }, async (session) => {
      const [{ readWidth }, { chooseDeployable }, { deployHosts }] = await Promise.all([
        import("../hosts/width.ts"),
        import("../hosts/choose-deployable.ts"),
        import("../hosts/deploy-hosts.ts"),
      ]);
      const width = readWidth(flags.parallel);
      const hosts = await chooseDeployable(operands, flags, shell);
      return await deployHosts({ hosts, flags, width }, session, shell);
    });
  },
});
