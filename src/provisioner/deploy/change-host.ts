import { ProvisionError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import type { Guest, Machine } from "../libvirt/driver.ts";
import type { DeployedHost } from "./deployed-host.ts";
import { checkPlace, forgetAddress, keepAddresses, startNetworks } from "./check-place.ts";
import { makeExtraDisks } from "./create-host.ts";
import type { Deployment } from "./deployment.ts";
import type { DomainChange } from "./plan-domain.ts";
import type { Survey } from "./survey-host.ts";

const GIB = 1024 ** 3;

/** Throws HOST_NEEDS_REPLACE where something differs that no machine changes while it keeps its disk. */
export function checkInPlace({ changes }: Pick<Survey, "changes">, host: string): void {
  const replacing = changes.filter(({ how }) => how === "replace");
  if (replacing.length === 0) return;
  const words = replacing.map(({ what, from, to }) => `${what} ${from} → ${to}`);
  throw new ProvisionError("HOST_NEEDS_REPLACE", { host, changes: words });
}

/** Brings a host's domain to what its file says, restarting it only for what takes that; it runs afterwards. */
export async function changeHost(
  survey: Survey & { readonly found: DeployedHost },
  deployment: Deployment,
  run: Run,
): Promise<Guest> {
  const { found, changes, machine } = survey;
  const { spec, driver } = deployment;
  const guest = driver.hosts.guest(found);
  const redefining = changes.filter(({ what }) => what !== "autostart" && what !== "power");
  const restarting = redefining.filter(({ how }) => how === "restart");
  if (redefining.length > 0) {
    const known = new Set(found.facts.macs.map((mac) => mac.toLowerCase()));
    const fresh = spec.networks.filter(({ mac }) => !known.has(mac.toLowerCase()));
    await checkPlace(spec, { driver, silent: fresh, ownMacs: found.facts.macs });
    await forgetOldCards(found, spec, driver);
  }
  await keepAddresses(spec, driver);
  if (restarting.length > 0)
    await run.within(`Shut down for ${names(restarting)}`, (inner) => guest.shutDown(inner));
  if (redefining.length > 0) await redefine(survey, machine, deployment);
  if (found.autostart !== spec.autostart) await driver.hosts.setAutostart(found.uuid, spec.autostart);
  const state = await guest.state();
  // What is left of a machine that crashed has to go before it can start again.
  if (state === "crashed") await driver.hosts.powerOff(found.uuid);
  if (state === "shut-off" || state === "crashed") {
    await startNetworks(spec, driver);
    await run.within("Start", (inner) => guest.start(inner));
  }
  return guest;
}

async function redefine(
  { found, files, changes }: Survey & { readonly found: DeployedHost },
  machine: Machine,
  deployment: Deployment,
): Promise<void> {
  const { spec, driver } = deployment;
  const { sizeGiB } = spec.disk;
  await makeExtraDisks(deployment, { files });
  if (sizeGiB !== undefined && changes.some(({ what }) => what === "disk"))
    await driver.volumes.grow(spec.pool, files.disk, sizeGiB * GIB);
  // Its users may still be those of before: who goes is told by the mark until they are gone.
  const mark = { ...machine.mark, ...(found.mark?.host && { host: found.mark.host }) };
  await driver.hosts.define({ ...machine, mark }, found.facts.accelerator);
}

/** What was kept for cards that the host has no more, or that join another network. */
async function forgetOldCards(
  { facts }: DeployedHost,
  { networks }: Deployment["spec"],
  driver: Deployment["driver"],
): Promise<void> {
  for (const card of facts.cards) {
    if (!("network" in card)) continue;
    const stays = networks.some(
      ({ joins, mac }) =>
        joins.kind === "network" &&
        joins.name === card.network &&
        mac.toLowerCase() === card.mac.toLowerCase(),
    );
    if (!stays) await forgetAddress(card, driver);
  }
}

function names(changes: readonly DomainChange[]): string {
  return [...new Set(changes.map(({ what }) => what))].join(", ");
}
