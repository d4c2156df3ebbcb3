import { defineCommand, helpEnd } from "../command.ts";
import type { GuestFlags } from "../open-hypervisor.ts";
import { runSession } from "../session.ts";

export const verify = defineCommand<GuestFlags>({
  declare(command) {
    command
      .description(
        "Holds an image to its contract: nobody's, nowhere's, clean. Looks at its files, then boots a copy under a " +
          "new identity and a larger disk, reboots it twice, and prints what became of each promise. The image itself is " +
          "not written to.",
      )
      .argument("<IMAGE>", "folder of an image, images/NAME/latest, or a qcow2 file beside its manifest")
      .option("--accel <kvm|tcg|auto>", "what runs the guest; PROVISION_ACCEL does the same")
      .option("--connect <uri>", "libvirt to boot it on (default: qemu:///system)")
      .option("--network <name>", "libvirt network of the guest (default: default)")
      .addHelpText("after", helpEnd(["provision verify images/base/latest"], [0, 2, 4, 5, 6, 130]));
  },
  act({ shell, flags, operands: [path = ""] }) {
    return runSession({ shell, flags, command: `verify ${path}` }, async ({ run, result }) => {
      const [{ openWorkshop }, { openImage }, { verifyImage, vouchFor }, words] = await Promise.all([
        import("../workshop.ts"),
        import("../../image/image-store.ts"),
        import("../../image/verify-image.ts"),
        import("../contract-table.ts"),
      ]);
      const image = await openImage(path);
      const { readOnlyRoot } = image.manifest;
      const findings = await verifyImage(
        { path: image.path, name: image.name, readOnlyRoot, machine: { cpus: 2, memoryMiB: 2048 } },
        openWorkshop(shell, flags),
        run,
      );
      const held = findings.every(({ against }) => against.length === 0);
      const ending = `${image.path} ${held ? "keeps" : "breaks"} its contract`;
      const promises = words.verdicts(findings);
      result(`${words.contractTable(findings)}\n\n${ending}`, { image: image.path, held, promises });
      vouchFor(image, findings);
      return "as-wanted";
    });
  },
});
