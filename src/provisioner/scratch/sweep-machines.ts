import { access, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";

import type { Run } from "../core/run.ts";
import type { Driver, OwnedDomain } from "../libvirt/driver.ts";
import { holdLock } from "../local/lock.ts";
import { dropRecord, readRecord } from "./scratch-record.ts";

/**
 * Whether a kept machine is of no use any more: nothing leads to it, or the base that its disk stands on is gone. With
 * `below` those whose records lie in that folder are of no use either.
 */
export async function isForsaken(
  { uuid, mark }: Pick<OwnedDomain, "uuid" | "mark">,
  { below }: { readonly below?: string } = {},
): Promise<boolean> {
  const { kept } = mark;
  if (kept !== undefined && below !== undefined && dirname(kept) === below) return true;
  const record = kept === undefined ? undefined : await readRecord(kept);
  if (record?.uuid !== uuid) return true;
  return access(record.basePath).then(
    () => false,
    () => true,
  );
}

/** A driver that removes a kept machine only when no run works with it: it waits for that run. */
export function patientRemoval(
  driver: Pick<Driver, "owned" | "remove">,
  run: Run,
): Pick<Driver, "owned" | "remove"> {
  return {
    owned: () => driver.owned(),
    async remove(domain) {
      const { kept } = domain.mark;
      if (kept === undefined) return driver.remove(domain);
      await using _lock = await holdLock(kept, "the scratch machine", run);
      await driver.remove(domain);
    },
  };
}

/** Finds records of machines that libvirt knows no longer and, unless only looking, removes them with their folders. */
export async function sweepRecords(
  machinesDir: string,
  driver: Pick<Driver, "owned" | "uri">,
  { check, run }: { readonly check: boolean; readonly run: Run },
): Promise<string[]> {
  const names = await readdir(machinesDir).catch(() => []);
  const found: string[] = [];
  for (const path of names.filter((name) => name.endsWith(".json")).map((name) => join(machinesDir, name))) {
    const isLost = async () => {
      const record = await readRecord(path);
      if (record?.uri !== driver.uri) return undefined;
      const domains = await driver.owned();
      return domains.some(({ uuid }) => uuid === record.uuid) ? undefined : record;
    };
    if (!(await isLost())) continue;
    found.push(path);
    if (check) continue;
    await using _lock = await holdLock(path, "the scratch machine", run);
    // Whoever had the lock may have made a new one.
    const record = await isLost();
    if (record) await dropRecord(path, record);
  }
  return found;
}
