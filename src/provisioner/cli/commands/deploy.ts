import type { Run } from "../../core/run.ts";
import { type ChangeFlags, defineCommand, directOption, helpEnd } from "../command.ts";
import type { DeployFlags } from "../open-deployment.ts";
import { runSession } from "../session.ts";

type Flags = DeployFlags & ChangeFlags & { readonly yes?: boolean };

export const deploy = defineCommand<Flags>({
  declare(command) {
    command
      .description(
        "Brings hosts to what their files in hosts/ say: makes the machine from its image, or changes it in place, " +
          "then settles users, keys and tasks over SSH, and reads again to prove it.",
      )
      .argument("<HOST...>", "hosts, by name or file")
      .option("--check", "say what would change, and change nothing")
      .option("--diff", "show texts that change as diffs")
      .option("--only <use...>", "settle these tasks or uses alone; * stands for anything")
      .option("--skip <use...>", "leave these out")
      .option("--replace", "make a system disk anew where that is what it takes; says what is lost, and asks")
      .option("--identity <file>", "log in with this key alone")
      .option("--keep-on-error", "leave a new host that does not come up, to look into it")
      .option(...directOption)
      .option("--connect <uri>", "libvirt for hosts whose file names none (default: qemu:///system)")
      .option("--accel <kvm|tcg|auto>", "what runs new hosts; PROVISION_ACCEL does the same")
      .option("-y, --yes", "replace without asking")
      .addHelpText(
        "after",
        helpEnd(
          ["provision deploy host01", "provision deploy host01 --check --diff"],
          [0, 2, 3, 4, 5, 6, 7, 130],
        ),
      );
  },
  act({ shell, flags, operands }) {
    const command = `deploy ${operands.join(" ")}`;
    return runSession({ shell, flags, command }, async ({ run, redactor, result }) => {
      const [{ checkHosts }, { openDeployment }, { deployHost, planHost }, { specInvalid }] =
        await Promise.all([
          import("../check-hosts.ts"),
          import("../open-deployment.ts"),
          import("../../deploy/deploy-host.ts"),
          import("../../spec/image-spec.ts"),
        ]);
      const { hosts, complaints } = await checkHosts(operands, shell);
      if (complaints.length > 0) throw specInvalid(complaints);
      for (const host of hosts) {
        const work = async (inner: Run) => {
          await using deployment = await openDeployment(host, { shell, flags, redactor, run: inner });
          return await (flags.check ? planHost : deployHost)(deployment);
        };
        const done = await run.within(host.spec.name, work);
        result(`${done.host}: machine ${done.machine}`, done);
      }
      return "as-wanted";
    });
  },
});
