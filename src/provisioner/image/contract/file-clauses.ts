import { hygiene, type HygieneItem } from "../hygiene.ts";
import type { ImageTree } from "../image-tree.ts";
import { matchesPattern } from "../path-pattern.ts";
import type { Clause } from "./clause.ts";

/** Nowhere's, and whole: what lies in the files. */
export const fileClauses: readonly Clause[] = [
  { id: "no-private-keys", what: "no private keys", files: privateKeys },
  {
    id: "resolver-at-boot",
    what: "name resolution is set up at boot",
    files: resolver,
    guest: {
      from: 0,
      asks: () => [{ kind: "stat", about: "/etc/resolv.conf" }],
      against: ([stat]) => {
        const { target } = (stat ?? {}) as { readonly target?: string };
        return target !== undefined && /(^|\/)run\//.test(target)
          ? []
          : ["/etc/resolv.conf is no link into /run"];
      },
    },
  },
  { id: "packages-whole", what: "every package is whole", files: brokenPackages },
  {
    id: "disks-by-label",
    what: "every file system is found by label or id, none by its device",
    files: devices,
  },
  { id: "file-systems-clean", what: "every file system was unmounted in order", files: unclean },
];

/** What the seal removes, looked for by the same table. */
export const hygieneClauses: readonly Clause[] = hygiene.map((item) => ({
  id: item.id ?? item.what.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-"),
  what: item.what,
  files: (tree) => dirt(tree, item),
}));

async function dirt(tree: ImageTree, item: HygieneItem): Promise<string[]> {
  const { absent = [], bare = [], noFilesBelow = [], noNamesBelow, empty = [] } = item;
  const files = async (folder: string) =>
    (await tree.below(folder)).filter(({ isFile }) => isFile).map(({ path }) => path);
  const found = await Promise.all([
    ...absent.map((pattern) => tree.match(pattern)),
    ...bare.map(async (folder) => (await tree.below(folder)).map(({ path }) => path)),
    ...noFilesBelow.map(files),
    ...(noNamesBelow ? [namesOf(noNamesBelow.names, files(noNamesBelow.below))] : []),
    ...empty.map(async (path) => {
      const text = await tree.text(path);
      if (text === undefined) return [`${path} is missing`];
      return text === "" ? [] : [`${path} holds ${JSON.stringify(text.slice(0, 60))}`];
    }),
  ]);
  return found.flat();
}

async function namesOf(patterns: readonly string[], files: Promise<readonly string[]>): Promise<string[]> {
  const nameOf = (path: string) => path.slice(path.lastIndexOf("/") + 1);
  return (await files).filter((path) => patterns.some((pattern) => matchesPattern(nameOf(path), pattern)));
}

/** Keys that belong to one machine or person. Searched where configuration and state live, in files of key size. */
async function privateKeys(tree: ImageTree): Promise<string[]> {
  const places = await Promise.all(["/etc", "/root", "/home", "/var/lib"].map((path) => tree.below(path)));
  const files = places.flat().filter(({ isFile, size }) => isFile && size > 0 && size < 64 * 1024);
  const held = await Promise.all(
    files.map(async ({ path }) => (isKey(path, (await tree.text(path)) ?? "") ? path : undefined)),
  );
  return held.filter((path) => path !== undefined);
}

/** WireGuard's keys stand in the middle of its configuration, and of systemd's. */
function isKey(path: string, text: string): boolean {
  if (/^-----BEGIN [A-Z ]*PRIVATE KEY-----/m.test(text)) return true;
  return (
    /^\/etc\/(wireguard|systemd\/network)\//.test(path) &&
    /^\s*(PrivateKey|PresharedKey)\s*=\s*\S/m.test(text)
  );
}

async function resolver(tree: ImageTree): Promise<string[]> {
  const target = await tree.link("/etc/resolv.conf");
  if (target !== undefined) return /(^|\/)run\//.test(target) ? [] : [`/etc/resolv.conf -> ${target}`];
  return (await tree.text("/etc/resolv.conf")) === undefined ? [] : ["/etc/resolv.conf is a file"];
}

async function brokenPackages(tree: ImageTree): Promise<string[]> {
  const status =
    (await tree.text("/usr/lib/sysimage/dpkg/status")) ?? (await tree.text("/var/lib/dpkg/status")) ?? "";
  if (status === "") return ["there is no package database"];
  return status
    .split("\n\n")
    .filter(
      (entry) =>
        /^Status:/m.test(entry) && !/^Status: \S+ ok (installed|config-files|not-installed)$/m.test(entry),
    )
    .map((entry) => /^Package: (.*)$/m.exec(entry)?.[1] ?? entry);
}

/** Devices have other names elsewhere; lines that cloud-init wrote are of the builder's disks. */
async function devices(tree: ImageTree): Promise<string[]> {
  const lines = ((await tree.text("/etc/fstab")) ?? "").split("\n");
  return lines
    .filter((line) => /^\s*\/dev\/(?!mapper\/)/.test(line) || /comment=cloudconfig/.test(line))
    .map((line) => `/etc/fstab: ${line}`);
}

async function unclean(tree: ImageTree): Promise<string[]> {
  if (tree.fileSystems.length === 0) return ["there is no file system"];
  return tree.fileSystems
    .filter(({ isClean }) => !isClean)
    .map(({ label }) => `the file system "${label}" has a journal to be recovered`);
}
