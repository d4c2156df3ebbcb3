import { hygiene, type HygieneItem } from "./hygiene.ts";
import type { ImageTree } from "./image-tree.ts";
import { stateLayout } from "../core/state-layout.ts";

/** One promise and what speaks against it; held when nothing does. */
export interface Assertion {
  readonly what: string;
  readonly against: readonly string[];
}

/** Holds an image's files to the contract of a golden image: nobody's, nowhere's, clean. */
export async function checkTree(
  tree: ImageTree,
  claims: { readonly readOnlyRoot: boolean },
): Promise<Assertion[]> {
  const clean = hygiene.map(async (item): Promise<Assertion> => ({
    what: item.what,
    against: await dirt(tree, item),
  }));
  const others: [string, Promise<readonly string[]>][] = [
    ["no users with a login", loginUsers(tree)],
    ["no passwords", passwords(tree)],
    ["no sudo rules beyond the distribution's", sudoRules(tree)],
    ["nobody in an administrators' group", administrators(tree)],
    ["no subordinate ids", subordinateIds(tree)],
    ["no private keys", privateKeys(tree)],
    ["name resolution set up at boot", resolver(tree)],
    ["every package whole", brokenPackages(tree)],
  ];
  if (claims.readOnlyRoot) others.push(["root is mounted read-only", readOnly(tree)]);
  const rest = others.map(async ([what, against]): Promise<Assertion> => ({ what, against: await against }));
  return Promise.all([...rest, ...clean]);
}

async function dirt(tree: ImageTree, item: HygieneItem): Promise<string[]> {
  const found = await Promise.all([
    ...(item.absent ?? []).map((pattern) => tree.match(pattern)),
    ...(item.bare ?? []).map(async (path) => (await tree.below(path)).map((entry) => entry.path)),
    ...(item.noFilesBelow ?? []).map(async (path) =>
      (await tree.below(path)).filter(({ isFile }) => isFile).map((entry) => entry.path),
    ),
    ...(item.empty ?? []).map(async (path) => {
      const text = await tree.text(path);
      if (text === undefined) return [`${path} is missing`];
      return text === "" ? [] : [`${path} holds ${JSON.stringify(text.slice(0, 60))}`];
    }),
  ]);
  return found.flat();
}

async function fields(tree: ImageTree, path: string): Promise<string[][]> {
  const text = (await tree.text(path)) ?? "";
  return text
    .split("\n")
    .filter((line) => line.includes(":"))
    .map((line) => line.split(":"));
}

/** UID_MIN and UID_MAX of login.defs(5); 65534 is nobody. */
async function loginUsers(tree: ImageTree): Promise<string[]> {
  const users = await fields(tree, "/etc/passwd");
  if (users.length === 0) return ["/etc/passwd is missing"];
  return users
    .filter(
      ([name, , uid]) =>
        name !== "root" && (Number(uid) === 0 || (Number(uid) >= 1000 && Number(uid) < 60_000)),
    )
    .map(([name, , uid]) => `user "${name}" with uid ${uid}`);
}

async function passwords(tree: ImageTree): Promise<string[]> {
  return (await fields(tree, "/etc/shadow"))
    .filter(([, hash]) => hash !== undefined && !/^[!*]+$/.test(hash))
    .map(([name]) => `"${name}" has a password`);
}

async function sudoRules(tree: ImageTree): Promise<string[]> {
  const files = (await tree.match("/etc/sudoers.d/*")).filter((path) => path !== "/etc/sudoers.d/README");
  const rules = await Promise.all(
    files.map(async (path) =>
      ((await tree.text(path)) ?? "")
        .split("\n")
        .filter(isRule)
        .map((line) => `${path}: ${line}`),
    ),
  );
  const own = ((await tree.text("/etc/sudoers")) ?? "").split("\n").filter(isRule);
  return [
    ...rules.flat(),
    ...own.filter((line) => !/^(root|%sudo|%admin)\s/.test(line)).map((line) => `/etc/sudoers: ${line}`),
  ];
}

/** A line that grants something: "WHO WHERE = WHAT"; comments, defaults, aliases and includes do not. */
function isRule(line: string): boolean {
  return /=/.test(line) && !/^\s*(#|@|Defaults\b|\w+_Alias\b)/.test(line);
}

async function administrators(tree: ImageTree): Promise<string[]> {
  const groups = await fields(tree, "/etc/group");
  return groups
    .filter(
      ([name, , , members]) => /^(sudo|admin|wheel|adm|root|docker|libvirt)$/.test(name ?? "") && members,
    )
    .map(([name, , , members]) => `"${members}" in group "${name}"`);
}

async function subordinateIds(tree: ImageTree): Promise<string[]> {
  const both = await Promise.all(["/etc/subuid", "/etc/subgid"].map((path) => fields(tree, path)));
  return both.flat().map((line) => line.join(":"));
}

/** Keys that belong to one machine or person. Searched where configuration and state live, in files of key size. */
async function privateKeys(tree: ImageTree): Promise<string[]> {
  const places = await Promise.all(["/etc", "/root", "/home", "/var/lib"].map((path) => tree.below(path)));
  const files = places.flat().filter(({ isFile, size }) => isFile && size > 0 && size < 64 * 1024);
  const held = await Promise.all(
    files.map(async ({ path }) =>
      /^-----BEGIN [A-Z ]*PRIVATE KEY-----/m.test((await tree.text(path)) ?? "") ? path : undefined,
    ),
  );
  return held.filter((path) => path !== undefined);
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

async function readOnly(tree: ImageTree): Promise<string[]> {
  const fstab = (await tree.text("/etc/fstab")) ?? "";
  const root = fstab.split("\n").find((line) => /^[^#\s]\S*\s+\/\s/.test(line));
  const options = root?.split(/\s+/)[3]?.split(",") ?? [];
  const against = options.includes("ro") ? [] : [`/etc/fstab: ${root ?? "no line for /"}`];
  if ((await tree.text(stateLayout.marker)) === undefined) against.push(`${stateLayout.marker} is missing`);
  for (const path of stateLayout.moved)
    if (!fstab.includes(` ${path} `)) against.push(`/etc/fstab: no line for ${path}`);
  return against;
}
