import { ProvisionError } from "../../core/errors.ts";
import { defineCommand, helpEnd } from "../command.ts";
import { runSession } from "../session.ts";

interface Flags {
  readonly base: string;
  readonly out?: string;
  readonly yes?: boolean;
}

export const base = defineCommand<Flags>({
  declare(command) {
    command
      .description(
        "Makes of a base what other programs start from. `box`: a box for Vagrant's provider libvirt, with the user " +
          "`vagrant`, a key to log in with and a host key, both made for this box: keep it to yourself.",
      )
      .argument("<KIND>", "what to make: box")
      .option("--base <name>", "base of versions.yaml it is made from", "debian-13")
      .option("-o, --out <file>", "where it goes (default: <base>.box)")
      .option("-y, --yes", "install what this machine lacks without asking")
      .addHelpText(
        "after",
        helpEnd(
          ["provision base box", "provision base box --base debian-12 --out /tmp/d12.box"],
          [0, 2, 5, 130],
        ),
      );
  },
  act({ shell, flags, operands: [kind = ""] }) {
    return runSession({ shell, flags, command: `base ${kind}` }, async ({ run, result }) => {
      if (kind !== "box") {
        throw new ProvisionError("USAGE", {
          what: `Cannot make "${kind}" of a base: must be box`,
          mend: "Use `provision base box`",
        });
      }
      const [path, { makeReady }, { openWorkshop }, { makeBox }, { lazyManifest }, { findBase }] =
        await Promise.all([
          import("node:path"),
          import("../make-ready.ts"),
          import("../workshop.ts"),
          import("../../image/vagrant-box.ts"),
          import("../compose.ts"),
          import("../../image/base-image.ts"),
        ]);
      findBase(flags.base, lazyManifest(shell)());
      const shop = openWorkshop(shell, {});
      const { cacheDir, renderTemplate: render } = shop;
      await run.within("Check this machine", (inner) =>
        makeReady(shell, { yes: flags.yes ?? false, cacheDir }, inner),
      );
      const found = await run.within(`Prepare base ${flags.base}`, (inner) =>
        shop.prepareBase(flags.base, inner),
      );
      const out = path.resolve(shell.cwd, flags.out ?? `${flags.base}.box`);
      const { bytes } = await run.within(`Make a box of ${flags.base}`, (inner) =>
        makeBox({ base: found, out, cacheDir, render }, inner),
      );
      const name = `provision/${flags.base}`;
      result(
        [
          `${name}  ${out}  ${Math.round(bytes / 1024 ** 2)} MiB`,
          "",
          "Next:",
          `  vagrant box add --force --name ${name} ${out}`,
          "  vagrant up",
        ].join("\n"),
        { name, file: out, bytes, base: flags.base, baseKey: found.key },
      );
      return "as-wanted";
    });
  },
});
