import { Refusal } from "../core/task.ts";
import type { PinnedDriver } from "../core/driver-pin.ts";
import type { Manifest } from "./manifest.ts";
import { nameFormat } from "../spec/formats.ts";

/** A driver of versions.yaml with what each distribution gets of it; refuses a name that is none. */
export function pinnedDriver(name: string, { drivers = {} }: Pick<Manifest, "drivers">): PinnedDriver {
  const pins = Object.hasOwn(drivers, name) ? drivers[name] : undefined;
  if (pins !== undefined) return { name, pins };
  const says = nameFormat("driver of versions.yaml", Object.keys(drivers))(name);
  throw new Refusal(`"${name}" ${says}; add it under drivers in versions.yaml`);
}
