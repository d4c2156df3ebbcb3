import { defineCommand, helpEnd } from "../command.ts";
import { count } from "../render/words.ts";
import { runSession } from "../session.ts";
import type { Shell } from "../shell.ts";

export const gc = defineCommand<{ readonly check?: boolean; readonly scratch?: boolean }>({
  declare(command) {
    command
      .description(
        "Removes what runs left that were killed: their machines, disks, seeds and logs, and hosts whose deploy never came " +
          "to its end; and images on a hypervisor that no disk stands on. Looks at every hypervisor that hosts/ names. " +
          "Never what bears no mark of provision, nor what a living run owns, nor a host that was deployed. A scratch " +
          "machine that `provision test` keeps stays as long as the next test can use it.",
      )
      .option("--scratch", "remove the scratch machines too that are kept for the next test")
      .option("--check", "say what would be removed, and remove nothing")
      .addHelpText(
        "after",
        helpEnd(["provision gc --check", "provision gc", "provision gc --scratch"], [0, 2, 3, 4, 5, 6, 130]),
      );
  },
  act({ shell, flags }) {
    const check = flags.check ?? false;
    const isAll = flags.scratch ?? false;
    const command = `gc${check ? " --check" : ""}${isAll ? " --scratch" : ""}`;
    return runSession({ shell, flags, command }, async ({ run, result }) => {
      const [
        { openHypervisors },
        { collectGarbage },
        { scratchPlaces, sweepScratch },
        { openWorkshop },
        { collectHosts },
        machines,
      ] = await Promise.all([
        import("../hosts/hypervisors.ts"),
        import("../../libvirt/gc.ts"),
        import("../../image/sweep-scratch.ts"),
        import("../workshop.ts"),
        import("../hosts/collect-hosts.ts"),
        import("../../scratch/sweep-machines.ts"),
      ]);
      const { cacheDir, store, machinesDir } = openWorkshop(shell, {});
      await using hypervisors = openHypervisors(shell);
      const { usual, uris } = await hypervisorsToLookAt(shell);
      const driver = await hypervisors.at(usual);
      const garbage = await run.within("Look for what dead runs left", () =>
        collectGarbage(machines.patientRemoval(driver, run), {
          check,
          claims: driver.claims,
          isForsaken: (domain) => machines.isForsaken(domain, isAll ? { below: machinesDir } : {}),
        }),
      );
      const deployed = await run.within(
        "Look for hosts that were never done and images that nobody needs",
        () => collectHosts({ uris, hypervisors, check, wallClock: Date.now() }),
      );
      const failed = [
        ...garbage.failed.map(({ leftover, error }) => ({ name: leftover.name, error })),
        ...deployed.failed,
      ];
      for (const { name, error } of failed)
        run.note(
          `Cannot clean up ${name}: ${error instanceof Error ? error.message : String(error)}`,
          "warning",
        );
      for (const { name, kept = [] } of deployed.found)
        if (kept.length > 0) run.note(`Kept disks of ${name}, which were written to: ${kept.join(", ")}`);
      // After the domains: a machine that still runs has its disk there.
      const lost = await machines.sweepRecords(machinesDir, driver, { check, run });
      const places = await scratchPlaces(cacheDir, store);
      const folders = [...lost, ...(await sweepScratch(places, { check }))];
      const lines = [
        ...garbage.found.map(({ kind, name, files }) => [kind, name, ...files].join("  ")),
        ...deployed.found.map(({ kind, name, hypervisor, files }) =>
          [kind, name, hypervisor, ...files.filter((file) => file !== name)].join("  "),
        ),
        ...folders.map((folder) => `folder  ${folder}`),
      ];
      const verb = check ? "to remove" : "removed";
      const found = [...garbage.found, ...deployed.found];
      result([...lines, `${count(lines.length, "thing")} ${verb}`].join("\n"), { check, found, folders });
      if (failed.length > 0) return "not-as-wanted";
      return check && lines.length > 0 ? "changes-wait" : "as-wanted";
    });
  },
});

/** This machine's own, and those that the files of hosts name: what is wrong with those is for `validate` to tell. */
async function hypervisorsToLookAt(
  shell: Shell,
): Promise<{ readonly usual: string; readonly uris: readonly string[] }> {
  const [{ readHosts }, { hostNames }, { hypervisorsOf }, { hypervisorUri }, { findProject }] =
    await Promise.all([
      import("../check-hosts.ts"),
      import("../../spec/find-hosts.ts"),
      import("../hosts/find-hosts.ts"),
      import("../open-hypervisor.ts"),
      import("../project.ts"),
    ]);
  const usual = hypervisorUri(shell);
  const { hosts } = await readHosts(await hostNames(findProject(shell).hostsDir), shell);
  return { usual, uris: [...new Set([usual, ...hypervisorsOf(hosts)])] };
}
