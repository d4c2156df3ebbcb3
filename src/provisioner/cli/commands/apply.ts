import { type Command, Option } from "commander";

import type { Summary } from "../../core/converge.ts";
import { ProvisionError } from "../../core/errors.ts";
import { addLoginOptions, defineCommand, directOption, helpEnd } from "../command.ts";
import type { ChangeFlags, DirectFlags } from "../command.ts";
import type { TargetFlags } from "../open-target.ts";
import { findTemplates } from "../project.ts";
import { count } from "../render/words.ts";
import type { Selection } from "../select-uses.ts";
import { runSession } from "../session.ts";

type Flags = Omit<TargetFlags, "target"> &
  ChangeFlags &
  Selection &
  DirectFlags & { readonly spec: string; readonly target?: string; readonly vagrant?: boolean };

export const apply = defineCommand<Flags>({
  declare(command: Command) {
    command
      .description(
        "Brings a machine to what a spec says, over SSH: reads everything at once, changes what differs, in " +
          "order, then reads again to prove it. Its host key must be known; nothing is taken on trust.",
      )
      .requiredOption("--spec <name>", "spec of specs/, or a file")
      .option("--target <user@host:port>", "machine, by name, address or alias of ssh_config")
      .addOption(
        new Option("--vagrant", "the machine that `vagrant up` made here").conflicts([
          "target",
          "identity",
          "knownHosts",
          "sudoPasswordFile",
          "askSudoPassword",
        ]),
      )
      .option("--check", "say what would change, and change nothing")
      .option("--diff", "show texts that change as diffs")
      .option("--only <use...>", "settle these tasks or uses alone; * stands for anything")
      .option("--skip <use...>", "leave these out")
      .option(...directOption)
      .addHelpText(
        "after",
        helpEnd(
          [
            "provision apply --spec base --target root@192.168.122.20",
            "provision apply --spec base --target web1 --check --diff",
            "provision apply --spec base --vagrant",
            "provision apply --spec ./web.yaml --target admin@web1:2222 --ask-sudo-password --only 'apt*' sysctl",
          ],
          [0, 2, 3, 4, 5, 6, 7, 130],
        ),
      );
    addLoginOptions(command);
  },
  act({ shell, flags }) {
    const to = nameOf(flags);
    const command = `apply --spec ${flags.spec} ${to.flag}${flags.check ? " --check" : ""}`;
    return runSession({ shell, flags, command }, async ({ run, redactor, result }) => {
      const [
        { lazyManifest, loadSpec },
        { specSources },
        { openPins },
        { openSecrets },
        { selectUses },
        { openTarget, openVagrantTarget },
      ] = await Promise.all([
        import("../compose.ts"),
        import("../../spec/spec-sources.ts"),
        import("../open-pins.ts"),
        import("../open-secrets.ts"),
        import("../select-uses.ts"),
        import("../open-target.ts"),
      ]);
      const { converge } = await import("../../core/converge.ts");
      const check = flags.check ?? false;
      const manifest = lazyManifest(shell);
      const loaded = await loadSpec(flags.spec, shell, { forHost: true, manifest });
      const recipe = selectUses(loaded.recipe, flags);
      const pins = openPins(shell, manifest, flags);
      const secrets = openSecrets(shell, loaded.sourceDirs, redactor);
      const sources = specSources(loaded, findTemplates(shell), { ...pins, ...secrets });
      await using host = await run.within(
        `Connect to ${to.name}`,
        (inner) =>
          to.target === undefined
            ? openVagrantTarget(shell, inner)
            : openTarget({ ...flags, target: to.target }, shell, inner),
        ({ name }) => name,
      );
      const summary = await run.within(
        check ? "Plan" : "Apply",
        (inner) => converge(recipe, { host, run: inner, check, sources }),
        (found) => words(found, check),
      );
      result(`${host.name}: ${words(summary, check)}`, { host: host.name, check, ...summary });
      return check && summary.changed + summary.mayChange > 0 ? "changes-wait" : "as-wanted";
    });
  },
});

/** Which machine: the one that is named, or Vagrant's. */
function nameOf({ target, vagrant }: Pick<Flags, "target" | "vagrant">): {
  readonly target: string | undefined;
  readonly name: string;
  readonly flag: string;
} {
  if (target !== undefined) return { target, name: target, flag: `--target ${target}` };
  if (vagrant) return { target, name: "Vagrant's machine", flag: "--vagrant" };
  throw new ProvisionError("USAGE", {
    what: "Cannot apply a spec: the machine must be named by --target or --vagrant, is not",
    mend: "Use --target; `provision apply --help` shows examples",
  });
}

function words({ uses, changed, mayChange }: Summary, check: boolean): string {
  if (changed + mayChange === 0) return `as wanted, ${count(uses, "use")}`;
  if (!check) return `${changed} of ${count(uses, "use")} changed, as wanted now`;
  const later = mayChange === 0 ? "" : `, ${mayChange} may change after them`;
  return `${changed} of ${count(uses, "use")} would change${later}`;
}
