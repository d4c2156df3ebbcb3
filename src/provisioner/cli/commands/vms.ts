import { defineCommand, helpEnd } from "../command.ts";
import { findProject } from "../project.ts";
import { runSession } from "../session.ts";

export const vms = defineCommand<{ readonly connect?: string }>({
  declare(command) {
    command
      .description(
        "Lists the hosts that provision deployed, on every hypervisor that a file of hosts/ names and on this machine's " +
          "own, and the hosts of hosts/ that are not deployed. Hypervisors are asked at the same time; one that cannot be " +
          "reached is told, and the exit code is 4. An address is what leases, agent or ARP say, no sign of life.",
      )
      .option("--connect <uri>", "libvirt of hosts whose files name none (default: qemu:///system)")
      .addHelpText("after", helpEnd(["provision vms", "provision vms --json"], [0, 2, 4, 130]));
  },
  act({ shell, flags }) {
    return runSession({ shell, flags, command: "vms", quiet: true }, async ({ run, result }) => {
      const [
        { readHosts },
        { listImages },
        { hostNames },
        { hypervisorUri },
        { openHypervisors, patience },
        { listHosts },
        { hostTable },
      ] = await Promise.all([
        import("../check-hosts.ts"),
        import("../../image/image-store.ts"),
        import("../../spec/find-hosts.ts"),
        import("../open-hypervisor.ts"),
        import("../hosts/hypervisors.ts"),
        import("../hosts/list-hosts.ts"),
        import("../hosts/host-table.ts"),
      ]);
      const { hostsDir, imagesDir } = findProject(shell);
      const { hosts: files, complaints } = await readHosts(await hostNames(hostsDir), shell);
      for (const { what, where } of complaints)
        run.note(`${where.file}:${where.line}: ${what}; this host is not looked for`, "warning");
      const isSaid = flags.connect !== undefined || Boolean(shell.env["PROVISION_LIBVIRT"]);
      await using hypervisors = openHypervisors(shell, {}, patience);
      const { hosts, unreachable } = await listHosts({
        files,
        usual: hypervisorUri(shell, flags),
        isOptional: !isSaid && files.length > 0 && files.every(({ spec }) => spec.hypervisor !== undefined),
        hypervisors,
        images: await listImages(imagesDir),
        now: run.now,
      });
      for (const { error } of unreachable) run.note(`${error.message}. ${error.mend}`, "warning");
      const none = "No host is deployed, and hosts/ has none";
      result(hosts.length === 0 ? none : hostTable(hosts), {
        hosts,
        unreachable: unreachable.map(({ hypervisor, error: { code, message, mend } }) => ({
          hypervisor,
          code,
          message,
          mend,
        })),
      });
      return unreachable.length === 0 ? "as-wanted" : { exitCode: 4 };
    });
  },
});
