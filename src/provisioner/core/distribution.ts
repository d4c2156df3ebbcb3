/** A distribution and its release, as the machine itself says. */
export interface Distribution {
  /** `debian` */
  readonly id: string;
  /** `13`; absent on a release that has no number yet. */
  readonly version: string | undefined;
  /** `trixie` */
  readonly codename: string | undefined;
  /** `debian-13`: as specs, versions.yaml and package URLs have it. */
  readonly name: string;
}

/** Condition on a use: it is there on these distributions and on no other. */
export interface When {
  /** `debian-13`, or `debian` for each of its releases. */
  readonly distribution: readonly string[];
}

/** Where a machine says which distribution it is: os-release(5). */
export const osReleasePath = "/etc/os-release";

/** The releases that provision knows; what differs between them is in `traits`. */
export const knownReleases = ["debian-12", "debian-13", "ubuntu-24.04"] as const;

/** A release that provision knows. */
export type Release = (typeof knownReleases)[number];

/** Every name that a condition may give. */
export const distributionNames: readonly string[] = [
  ...new Set(knownReleases.flatMap((name) => [distributionNamed(name).id, name])),
].toSorted();

/** Reads os-release: assignments as a shell has them. `undefined` when it does not say which distribution it is. */
export function readDistribution(osRelease: string): Distribution | undefined {
  const values = new Map(
    osRelease.split("\n").flatMap((line): [string, string][] => {
      const [, key, value] = /^\s*([A-Z][A-Z0-9_]*)=(.*?)\s*$/.exec(line) ?? [];
      return key === undefined || value === undefined ? [] : [[key, unquoted(value)]];
    }),
  );
  const id = values.get("ID") ?? "";
  if (id === "") return undefined;
  const version = values.get("VERSION_ID") || undefined;
  const codename = values.get("VERSION_CODENAME") || undefined;
  return { id, version, codename, name: version === undefined ? id : `${id}-${version}` };
}

/** What os-release says at least on a machine of that name: for plans that have no machine. */
export function osReleaseOf(name: string, codename?: string): string {
  const { id } = distributionNamed(name);
  const version = name === id ? "" : `VERSION_ID="${name.slice(id.length + 1)}"\n`;
  return `ID=${id}\n${version}${codename === undefined ? "" : `VERSION_CODENAME=${codename}\n`}`;
}

/** The distribution of a name: `debian-13`. */
export function distributionNamed(name: string): Pick<Distribution, "id" | "name"> {
  return { id: name.replace(/-.*/s, ""), name };
}

/** Whether what stands under this condition is there on a distribution; what has none is there on all. */
export function appliesTo(when: When | undefined, { id, name }: Pick<Distribution, "id" | "name">): boolean {
  return when === undefined || when.distribution.some((each) => each === id || each === name);
}

/** Whether there is a distribution on which both conditions hold. */
export function canBothApply(one: When | undefined, other: When | undefined): boolean {
  if (one === undefined || other === undefined) return true;
  return one.distribution.some((a) =>
    other.distribution.some((b) => a === b || a.startsWith(`${b}-`) || b.startsWith(`${a}-`)),
  );
}

/** A value without its quotes and, within double ones, without the backslashes that the shell takes away. */
function unquoted(value: string): string {
  const [, single, double] = /^(?:'([^']*)'|"((?:[^"\\]|\\.)*)")$/s.exec(value) ?? [];
  return single ?? double?.replaceAll(/\\(["$`\\])/g, "$1") ?? value;
}
