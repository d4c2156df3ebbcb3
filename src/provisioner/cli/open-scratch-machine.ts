import { ProvisionError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import { openLibvirtScratch } from "../scratch/libvirt-scratch.ts";
import type { ScratchMachine } from "../scratch/scratch-machine.ts";
import type { VagrantMachine } from "../scratch/vagrant-machine.ts";
import { openVagrantScratch } from "../scratch/vagrant-scratch.ts";
import { makeReady } from "./make-ready.ts";
import type { Shell } from "./shell.ts";
import type { LocalWorkshop } from "./workshop.ts";

/** Takes the scratch machine of a base, or makes one. */
export async function openScratchMachine(
  from: {
    readonly shell: Shell;
    readonly flags: { readonly fresh?: boolean; readonly yes?: boolean };
    readonly base: string;
    readonly shop: LocalWorkshop;
  },
  run: Run,
): Promise<ScratchMachine> {
  const { shell, flags, shop } = from;
  const { cacheDir, machinesDir } = shop;
  await run.within("Check this machine", (inner) =>
    makeReady(shell, { yes: flags.yes ?? false, cacheDir }, inner),
  );
  const base = await run.within(`Prepare base ${from.base}`, (inner) => shop.prepareBase(from.base, inner));
  const driver = await shop.openDriver(run);
  try {
    const scratch = await openLibvirtScratch(
      { driver, shop, base, machinesDir, fresh: flags.fresh ?? false },
      run,
    );
    return closingAfter(scratch, driver);
  } catch (error) {
    await driver[Symbol.asyncDispose]();
    throw error;
  }
}

/** Takes the machine that `vagrant up` made. */
export async function openVagrantMachine(
  machine: VagrantMachine,
  { openDriver, machinesDir }: Pick<LocalWorkshop, "openDriver" | "machinesDir">,
  run: Run,
): Promise<ScratchMachine> {
  const driver = await openDriver(run);
  try {
    const guest = await driver.borrow(machine.uuid);
    if (!guest) {
      throw new ProvisionError("VAGRANT_UNUSABLE", {
        reason: `${driver.uri} has no domain ${machine.uuid}`,
        mend: "Name the libvirt of the Vagrantfile with --connect, or run `vagrant up`",
      });
    }
    return closingAfter(await openVagrantScratch({ machine, guest, machinesDir }, run), driver);
  } catch (error) {
    await driver[Symbol.asyncDispose]();
    throw error;
  }
}

/** The machine, whose disposal closes the hypervisor's connection too. */
function closingAfter(scratch: ScratchMachine, driver: AsyncDisposable): ScratchMachine {
  return {
    name: scratch.name,
    base: scratch.base,
    distribution: scratch.distribution,
    mac: scratch.mac,
    sshLine: scratch.sshLine,
    get host() {
      return scratch.host;
    },
    reset: (run) => scratch.reset(run),
    keep: () => scratch.keep(),
    async [Symbol.asyncDispose]() {
      await using _driver = driver;
      await scratch[Symbol.asyncDispose]();
    },
  };
}
