import { accountFiles, builderUser } from "../hygiene.ts";
import type { ImageTree } from "../image-tree.ts";
import type { Clause } from "./clause.ts";

/** Nobody's: who can come in, and what they may. */
export const accountClauses: readonly Clause[] = [
  { id: "no-users", what: "no users with a login", files: loginUsers },
  { id: "no-passwords", what: "no passwords", files: passwords },
  { id: "no-sudo-rules", what: "no sudo rules beyond the distribution's", files: sudoRules },
  { id: "no-administrators", what: "nobody in an administrators' group", files: administrators },
  { id: "no-subordinate-ids", what: "no subordinate ids", files: subordinateIds },
  {
    id: "no-builder",
    what: "nothing knows the builder",
    files: builderNames,
    guest: {
      from: 0,
      asks: () => [{ kind: "user", about: builderUser }],
      against: ([user]) => (user === undefined ? [] : [`"${builderUser}" is a user`]),
    },
  },
];

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

/** Where packages write down the host name of the machine that installs them. */
const namingFiles = [
  "/etc/hosts",
  "/etc/mailname",
  "/etc/postfix/main.cf",
  "/etc/exim4/update-exim4.conf.conf",
];

async function builderNames(tree: ImageTree): Promise<string[]> {
  const named = await Promise.all(
    [...accountFiles, ...namingFiles].map(async (path) =>
      new RegExp(`\\b${builderUser}\\b`).test((await tree.text(path)) ?? "") ? [`${path} names it`] : [],
    ),
  );
  return named.flat();
}
