import type { DeployedHost, HostDriver } from "./deployed-host.ts";
import { hostFiles } from "./host-files.ts";

/** virtlogd moves a console log of 2 MiB aside, three times. */
export function rotatedLogs(console: string): readonly string[] {
  return [0, 1, 2].map((number) => `${console}.${number}`);
}

/** The files of a host that hold nobody's data: its seed and its console. They are made anew by a deploy. */
export function passingFiles({
  name,
  mark,
  facts,
}: Pick<DeployedHost, "name" | "mark" | "facts">): readonly string[] {
  const { console } = facts;
  // By its name: somebody may have taken it out of the machine.
  const { seed } = hostFiles({ name, extraDisks: [] });
  const isPassing = (file: string) => file.endsWith(`/${seed}`) || file === console;
  const logs = console === undefined ? [] : [console, ...rotatedLogs(console)];
  return [...new Set([...mark.files.filter(isPassing), ...logs])];
}

/**
 * Pulls a host's plug, removes files of it, and last its definition with NVRAM, saved memory and snapshots: what is cut
 * short can be found and done again. Idempotent.
 */
export async function removeDomain(
  driver: Pick<HostDriver, "hosts" | "pools" | "volumes">,
  { uuid, mark }: Pick<DeployedHost, "uuid" | "mark">,
  files: readonly string[],
): Promise<void> {
  await driver.hosts.powerOff(uuid);
  await removeFiles(driver, mark.host.pool, files);
  await driver.hosts.undefine(uuid);
}

/** Removes the volumes that are these files of a pool. Idempotent. */
export async function removeFiles(
  { pools, volumes }: Pick<HostDriver, "pools" | "volumes">,
  pool: string,
  files: readonly string[],
): Promise<void> {
  await pools.open(pool);
  // It does not know by itself of what virtlogd wrote into it.
  await volumes.refresh(pool);
  for (const file of files) await volumes.removeByPath(file);
}
