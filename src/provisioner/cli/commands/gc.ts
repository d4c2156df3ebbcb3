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
      const [{ openHypervisor }, { collectGarbage }] = await Promise.all([
        import("../open-hypervisor.ts"),
        import("../../libvirt/gc.ts"),
      ]);
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
      const lines = found.map(({ kind, name, files }) => [kind, name, ...files].join("  "));
      const verb = check ? "to remove" : "removed";
      result([...lines, `${count(found.length, "thing")} ${verb}`].join("\n"), { check, found });
      if (failed.length > 0) return "not-as-wanted";
      return check && found.length > 0 ? "changes-wait" : "as-wanted";
    });
  },
});
