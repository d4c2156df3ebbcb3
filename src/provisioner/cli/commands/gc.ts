import { defineCommand, helpEnd } from "../command.ts";
import { count } from "../render/words.ts";
import { runSession } from "../session.ts";

export const gc = defineCommand<{ readonly check?: boolean }>({
  declare(command) {
    command
      .description(
        "Removes what runs left that were killed: their machines, disks, seeds and logs. Never what bears no " +
          "mark of provision, nor what a living run owns, nor a deployed host.",
      )
      .option("--check", "say what would be removed, and remove nothing")
      .addHelpText("after", helpEnd(["provision gc --check", "provision gc"], [0, 2, 3, 5, 6, 130]));
  },
  act({ shell, flags }) {
    const check = flags.check ?? false;
    const command = check ? "gc --check" : "gc";
    return runSession({ shell, flags, command }, async ({ run, result }) => {
      const [{ openHypervisor }, { collectGarbage }, { scratchPlaces, sweepScratch }, { openWorkshop }] =
        await Promise.all([
          import("../open-hypervisor.ts"),
          import("../../libvirt/gc.ts"),
          import("../../image/sweep-scratch.ts"),
          import("../workshop.ts"),
        ]);
      const { cacheDir, store } = openWorkshop(shell, {});
      await using driver = await openHypervisor(shell);
      const { found, failed } = await run.within("Look for what dead runs left", () =>
        collectGarbage(driver, { check, claims: driver.claims }),
      );
      for (const { leftover, error } of failed) {
        run.note(
          `Cannot remove ${leftover.name}: ${error instanceof Error ? error.message : String(error)}`,
          "warning",
        );
      }
      // After the domains: a machine that still runs has its disk there.
      const folders = await sweepScratch(await scratchPlaces(cacheDir, store), { check });
      const lines = [
        ...found.map(({ kind, name, files }) => [kind, name, ...files].join("  ")),
        ...folders.map((folder) => `folder  ${folder}`),
      ];
      const verb = check ? "to remove" : "removed";
      result([...lines, `${count(lines.length, "thing")} ${verb}`].join("\n"), { check, found, folders });
      if (failed.length > 0) return "not-as-wanted";
      return check && lines.length > 0 ? "changes-wait" : "as-wanted";
    });
  },
});
