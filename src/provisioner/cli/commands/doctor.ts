import { defineCommand, helpEnd } from "../command.ts";
import { runSession } from "../session.ts";
import { table } from "../table.ts";

export const doctor = defineCommand<{ readonly fix?: boolean; readonly yes?: boolean }>({
  declare(command) {
    command
      .description("Looks at what provision needs of this machine and says how to mend what is missing.")
      .option("--fix", "install and start what is missing; asks first")
      .option("--yes", "with --fix: do not ask")
      .addHelpText("after", helpEnd(["provision doctor", "provision doctor --fix --yes"], [0, 2, 5, 6, 130]));
  },
  act({ shell, flags }) {
    return runSession({ shell, flags, command: "doctor" }, async ({ run, result }) => {
      const [{ doctor: examine }, { baseSettings }] = await Promise.all([
        import("../../doctor/doctor.ts"),
        import("../../image/base-settings.ts"),
      ]);
      const findings = await examine(run, {
        fix: flags.fix ?? false,
        yes: flags.yes ?? false,
        cacheDir: baseSettings(shell).cacheDir,
        confirm: async (question) => /^y(es)?$/i.test((await shell.ask(`${question}? [y/N] `)) ?? ""),
      });
      const rows = findings.map(({ name, state, found, fixed, mend = "" }) => [
        fixed ? "fixed" : state,
        name,
        found,
        mend,
      ]);
      result(table(["STATE", "WHAT", "FOUND", "MEND"], rows), findings);
      return findings.some(({ state }) => state === "missing") ? "not-as-wanted" : "as-wanted";
    });
  },
});
