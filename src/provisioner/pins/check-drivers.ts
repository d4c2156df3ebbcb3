import type { Manifest } from "./manifest.ts";

/** Bases whose driver is not pinned for what they are: as paths into the manifest, with "must be …, is …". */
export function checkDrivers({ bases, drivers = {} }: Manifest): readonly {
  readonly path: readonly string[];
  readonly part: "value";
  readonly says: string;
}[] {
  return Object.entries(bases).flatMap(([name, entry]) => {
    if (entry.kind !== "bootstrap" || entry.driver === undefined) return [];
    const { driver, distribution } = entry;
    if (drivers[driver]?.[distribution]) return [];
    const pinned = Object.keys(drivers).filter((each) => drivers[each]?.[distribution]);
    const known = pinned.length === 0 ? "there is none" : pinned.join(" or ");
    const says = `must be a driver that is pinned for ${distribution} (${known}), is "${driver}"`;
    return [{ path: ["bases", name, "driver"], part: "value", says } as const];
  });
}
