import { Option } from "commander";

import { type DirectFlags, defineCommand, directOption, helpEnd } from "../command.ts";
import type { GuestFlags } from "../open-hypervisor.ts";
import { count } from "../render/words.ts";
import { runSession } from "../session.ts";

interface Flags extends GuestFlags, DirectFlags {
  readonly spec?: string;
  readonly base?: string;
  readonly fresh?: boolean;
  readonly keep?: boolean;
  readonly vagrant?: boolean;
  readonly junit?: string;
  readonly yes?: boolean;
}

export const test = defineCommand<Flags>({
  declare(command) {
    command
      .description(
        "Proves tasks on a scratch machine: that each example can be planned without a machine, changes nothing when it " +
          "is only checked, settles, has nothing to change the second time, in one flight, and is noticed and mended when " +
          "somebody spoils it. With --spec the uses of a spec, one after the other. The machine is kept, switched off, for " +
          "the next run, which makes it as it was in seconds. With --vagrant it is the machine that `vagrant up` made, which " +
          "is as before when the run ends.",
      )
      .argument("[TASK...]", "tasks to prove, all when left out; with --spec, tasks or uses of the spec")
      .option("-s, --spec <name>", "prove the uses of this spec: a name in specs/, or a file")
      .option("--base <name>", "base of versions.yaml it is made from (default: the spec's, or debian-13)")
      .option("--fresh", "make a new scratch machine, in the place of the one that was kept")
      .option("--keep", "stop at what is broken, leave the machine running as it is, and print how to get in")
      .addOption(
        new Option("--vagrant", "take the machine that `vagrant up` made here").conflicts([
          "base",
          "fresh",
          "accel",
          "network",
        ]),
      )
      .option("--junit <file>", "write the results as JUnit's XML too")
      .option(...directOption)
      .option("--accel <kvm|tcg|auto>", "what runs the machine; PROVISION_ACCEL does the same")
      .option("--connect <uri>", "libvirt to run it on (default: qemu:///system)")
      .option("--network <name>", "libvirt network of the machine (default: default)")
      .option("-y, --yes", "install what this machine lacks without asking")
      .addHelpText(
        "after",
        helpEnd(
          [
            "provision test",
            "provision test sysctl file --base debian-12",
            "provision test --spec base --junit results.xml",
            "provision test user --keep",
            "provision test sysctl --vagrant",
          ],
          [0, 2, 4, 5, 6, 130],
        ),
      );
  },
  act({ shell, flags, operands }) {
    const command = ["test", ...operands, ...(flags.spec === undefined ? [] : ["--spec", flags.spec])].join(
      " ",
    );
    return runSession({ shell, flags, command }, async ({ run, redactor, result }) => {
      const [{ readTrials }, { openWorkshop }, machines, { tryAll }, words, { isBroken }, vagrant] =
        await Promise.all([
          import("../read-trials.ts"),
          import("../workshop.ts"),
          import("../open-scratch-machine.ts"),
          import("../../trial/try-all.ts"),
          import("../trial-table.ts"),
          import("../../trial/trial.ts"),
          import("../../scratch/vagrant-machine.ts"),
        ]);
      const shop = openWorkshop(shell, flags);
      const found = flags.vagrant
        ? await run.within("Find Vagrant's machine", (inner) => vagrant.findVagrantMachine(shell, inner))
        : undefined;
      const asked = found ? { ...flags, base: found.base } : flags;
      await using work = await readTrials({
        flags: asked,
        operands,
        shell,
        redactor,
        cacheDir: shop.cacheDir,
      });
      await using scratch = found
        ? await machines.openVagrantMachine(found, shop, run)
        : await machines.openScratchMachine({ shell, flags, base: work.base, shop }, run);
      const stopAtBroken = flags.keep ?? false;
      const results = await tryAll(work.trialsOn(scratch), {
        scratch,
        sources: work.sources,
        run,
        stopAtBroken,
      });
      if (flags.junit !== undefined) await writeJunit(flags.junit, results, shell.cwd);
      if (flags.keep && results.some(({ verdicts }) => verdicts.length > 1)) {
        scratch.keep();
        run.note(`${scratch.name} stays up as it is, until the next \`provision test\`: ${scratch.sshLine}`);
      }
      const broken = results.filter(isBroken);
      result(words.trialTable(results, flags.spec === undefined ? "TASK" : "SPEC"), {
        base: work.base,
        machine: scratch.name,
        broken: broken.length,
        trials: results,
      });
      if (broken.length === 0) return "as-wanted";
      run.note(`${count(broken.length, "trial")} broken, see the table`, "warning");
      return "not-as-wanted";
    });
  },
});

async function writeJunit(
  path: string,
  results: Parameters<typeof import("../junit.ts").junitXml>[0],
  cwd: string,
): Promise<void> {
  const [{ junitXml }, { writeResultFile }] = await Promise.all([
    import("../junit.ts"),
    import("../write-result-file.ts"),
  ]);
  await writeResultFile(path, junitXml(results), cwd);
}
