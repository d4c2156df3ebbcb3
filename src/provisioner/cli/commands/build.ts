import { type ChangeFlags, defineCommand, directOption, type DirectFlags, helpEnd } from "../command.ts";
import { runSession } from "../session.ts";
import type { GuestFlags } from "../open-hypervisor.ts";

interface Flags extends ChangeFlags, DirectFlags, GuestFlags {
  readonly spec: string;
  readonly force?: boolean;
  readonly verify: boolean;
  readonly keepOnError?: boolean;
  readonly yes?: boolean;
}

export const build = defineCommand<Flags>({
  declare(command) {
    command
      .description(
        "Builds a golden image: boots a throw-away builder from the spec's base, settles its tasks over SSH, " +
          "seals it, verifies the result and publishes it under images/. Unchanged inputs make no new image.",
      )
      .requiredOption("-s, --spec <name>", "spec to build: a name in specs/, or a file")
      .option("--check", "only say what would be done; exit 3 when there is something")
      .option("--diff", "show the content of each change")
      .option("--force", "build although an image of the same inputs is there")
      .option(...directOption)
      .option("--no-verify", "publish without holding the image to its contract")
      .option("--keep-on-error", "leave the builder up when a task fails, and print how to get in")
      .option("--accel <kvm|tcg|auto>", "what runs the guests; PROVISION_ACCEL does the same")
      .option("--connect <uri>", "libvirt to build on (default: qemu:///system)")
      .option("--network <name>", "libvirt network of the builder (default: default)")
      .option("-y, --yes", "install what this machine lacks without asking")
      .addHelpText(
        "after",
        helpEnd(
          ["provision build --spec base", "provision build --spec base --check --diff"],
          [0, 2, 3, 4, 5, 6, 130],
        ),
      );
  },
  act({ shell, flags }) {
    return runSession({ shell, flags, command: `build --spec ${flags.spec}` }, async ({ run, result }) => {
      const [
        { openWorkshop },
        { readBuildRequest },
        { buildImage },
        { planBuild },
        { table },
        { makeReady },
      ] = await Promise.all([
        import("../workshop.ts"),
        import("../build-request.ts"),
        import("../../image/build-image.ts"),
        import("../../image/plan-build.ts"),
        import("../table.ts"),
        import("../make-ready.ts"),
      ]);
      const shop = openWorkshop(shell, flags);
      const request = await readBuildRequest(flags, shell, shop);
      if (flags.check) {
        const plan = await planBuild(request, shop, run);
        const rows = plan.uses.map(({ use, from, applies }) => [
          use,
          from,
          applies ? "" : `not on ${request.distribution}`,
        ]);
        result(`${table(["USE", "FROM", ""], rows)}\n${plan.text}`, plan.data);
        return plan.isPublished ? "as-wanted" : "changes-wait";
      }
      const outcome = await buildImage(
        {
          ...request,
          force: flags.force ?? false,
          verify: flags.verify,
          keepOnError: flags.keepOnError ?? false,
          prepareMachine: (inner) =>
            makeReady(shell, { yes: flags.yes ?? false, cacheDir: shop.cacheDir }, inner),
        },
        shop,
        run,
      );
      const { image, fresh } = outcome;
      const { describeImage } = await import("../describe-image.ts");
      result(describeImage(image, fresh), { fresh, path: image.path, manifest: image.manifest });
      return "as-wanted";
    });
  },
});
