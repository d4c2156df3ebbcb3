import semver from "semver";

interface Version {
  readonly numbers: readonly string[];
  readonly letter: string;
  readonly prerelease: readonly string[];
  readonly build: readonly string[];
}

const form =
  /^(?<numbers>\d+(?:\.\d+)*)(?<letter>[a-z](?![0-9A-Za-z]))?(?:[-._]?(?<prerelease>[0-9A-Za-z][^+]*))?(?:\+(?<build>.+))?$/;

/** What the order and the policy ask of a version; `undefined` when it does not begin with a number. */
export function readVersion(text: string): { readonly stable: boolean; readonly major: number } | undefined {
  const version = parse(text);
  return version && { stable: version.prerelease.length === 0, major: Number(version.numbers[0]) };
}

/**
 * Orders two versions: positive when `one` is newer. As semver does, and for those that are no semver:
 * any count of numbers, missing ones being 0 (1.10 is 1.10.0, after 1.9); a single letter behind the numbers is a
 * later patch (3.6, 3.6a, 3.6b); anything else behind them is a prerelease (3.6-rc, 1.0rc1); a date with dashes
 * counts as numbers; of two that differ in build metadata alone the one with the later metadata is newer.
 * A version without a number at its beginning has no place in the order and is older than all others.
 */
export function compareVersions(one: string, other: string): number {
  const [a, b] = [parse(one), parse(other)];
  if (!a || !b) return Number(a !== undefined) - Number(b !== undefined);
  return (
    compareNumbers(a.numbers, b.numbers) ||
    compareText(a.letter, b.letter) ||
    comparePrerelease(a.prerelease, b.prerelease) ||
    compareLists(a.build, b.build)
  );
}

function parse(text: string): Version | undefined {
  const dotted = text.replace(/^(\d{4})-(\d\d)-(\d\d)/, "$1.$2.$3");
  const groups = form.exec(dotted)?.groups;
  if (!groups) return undefined;
  const { numbers = "", letter = "", prerelease, build } = groups;
  return {
    numbers: numbers.split("."),
    letter,
    prerelease: prerelease?.split(".") ?? [],
    build: build?.split(".") ?? [],
  };
}

function compareNumbers(one: readonly string[], other: readonly string[]): number {
  for (let index = 0; index < Math.max(one.length, other.length); index += 1) {
    const order = Number(one[index] ?? 0) - Number(other[index] ?? 0);
    if (order !== 0) return order;
  }
  return 0;
}

/** A release comes after its prereleases. */
function comparePrerelease(one: readonly string[], other: readonly string[]): number {
  if (one.length === 0 || other.length === 0) return Number(one.length === 0) - Number(other.length === 0);
  return compareLists(one, other);
}

function compareLists(one: readonly string[], other: readonly string[]): number {
  for (let index = 0; index < Math.max(one.length, other.length); index += 1) {
    const [a, b] = [one[index], other[index]];
    if (a === undefined || b === undefined) return a === undefined ? -1 : 1;
    const order = semver.compareIdentifiers(a, b);
    if (order !== 0) return order;
  }
  return 0;
}

function compareText(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
