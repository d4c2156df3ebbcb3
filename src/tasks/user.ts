import type { Static } from "typebox";

import { Type } from "../provisioner/core/schema.ts";
import {
  absolutePath,
  accountName,
  type Action,
  type Change,
  defineTask,
  differences,
  presentOrAbsent,
  Refusal,
  run,
  type UserEntry,
} from "../provisioner/core/task.ts";

const schema = Type.Object(
  {
    name: Type.String({ pattern: accountName, description: "Login name" }),
    uid: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 4294967294, description: "Number; left out: the next free one" }),
    ),
    group: Type.Optional(
      Type.String({
        pattern: accountName,
        description: "Primary group; left out: one of the user's own name",
      }),
    ),
    groups: Type.Optional(
      Type.Array(Type.String({ pattern: accountName }), {
        uniqueItems: true,
        description: "Further groups the user belongs to",
      }),
    ),
    onlyGroups: Type.Optional(
      Type.Boolean({ default: false, description: "Leave every further group that is not listed" }),
    ),
    shell: Type.Optional(
      Type.String({
        pattern: absolutePath,
        description: "Login shell; left out: the system's own choice, or kept",
      }),
    ),
    home: Type.Optional(
      Type.String({ pattern: absolutePath, description: "Home directory; left out: /home/<name>, or kept" }),
    ),
    createHome: Type.Optional(
      Type.Boolean({
        default: true,
        description: "Make the home from /etc/skel with the user, and move it along; a system user gets none",
      }),
    ),
    comment: Type.Optional(
      Type.String({ pattern: "^[^:\\u0000-\\u001f\\u007f]*$", description: "Full name or purpose (GECOS)" }),
    ),
    system: Type.Optional(
      Type.Boolean({ default: false, description: "Take a number of the system's range when it is made" }),
    ),
    password: Type.Optional(
      Type.Literal("locked", {
        description: "locked: no password opens it, keys still do; a new user is locked anyway",
      }),
    ),
    state: presentOrAbsent("Whether the user is there"),
    removeHome: Type.Optional(
      Type.Boolean({ default: false, description: "With absent: remove home and mail spool too" }),
    ),
  },
  { additionalProperties: false },
);

type Params = Static<typeof schema>;

/** A user of the machine. What is left out is the system's choice for a new user and kept for one that is there. */
export const user = defineTask({
  name: "user",
  summary: "A user of the machine, there or not.",
  schema,
  examples: [
    {
      title: "Someone who logs in by key",
      params: { name: "alice", comment: "Alice", shell: "/bin/bash", groups: ["adm"], password: "locked" },
    },
    {
      title: "A service's own user",
      params: { name: "_exporter", system: true, home: "/var/lib/exporter", shell: "/usr/sbin/nologin" },
    },
    {
      title: "Remove a user and the home",
      params: { name: "guest", state: "absent", removeHome: true },
      trial: { given: [{ user: { name: "guest" } }] },
    },
  ],

  spoil: ({ name, state }) => [run(state === "absent" ? "useradd" : "userdel", name)],

  subject: ({ name }) => name,

  identity({ name, uid, system, state }) {
    if (state === "absent" || name === "root") return undefined;
    const isSystem = uid === undefined ? system : uid < FIRST_PERSON;
    return isSystem ? undefined : `the user ${name} (one for a service says \`system: true\`)`;
  },

  async read(facts, { name, password, state }): Promise<State> {
    const isAsked = password !== undefined && state !== "absent";
    const [entry, status] = await Promise.all([
      facts.user(name),
      isAsked ? facts.query({ argv: ["passwd", "--status", name] }) : undefined,
    ]);
    // "alice L 2026-01-31 0 99999 7 -1"; a user who is not there makes passwd exit 1 and print nothing.
    return { entry, isLocked: status?.stdout.split(" ")[1] === "L" };
  },

  plan(params, { entry, isLocked }) {
    if (params.state === "absent") return planAbsent(params, entry);
    if (!entry) return [planNew(params)];
    return [...planAccount(params, entry), ...planGroups(params, entry), ...planPassword(params, isLocked)];
  },
});

/** UID_MIN of login.defs(5): below are the system's own. */
const FIRST_PERSON = 1000;

interface State {
  readonly entry: UserEntry | undefined;
  readonly isLocked: boolean;
}

function planAbsent({ name, removeHome }: Params, entry: UserEntry | undefined): readonly Change[] {
  if (name === "root") throw new Refusal('"root" must stay; nothing on the machine works without it');
  const flags = removeHome ? ["--remove"] : [];
  return differences({
    what: name,
    from: entry && "present",
    to: undefined,
    actions: [run("userdel", ...flags, name)],
  });
}

function planNew(params: Params): Change {
  const { name, uid, group, groups, shell, home, comment, system, createHome = !system } = params;
  const flags = [
    ...(uid === undefined ? [] : ["--uid", String(uid)]),
    ...(group === undefined ? [] : ["--gid", group]),
    ...(groups?.length ? ["--groups", groups.join(",")] : []),
    ...(shell === undefined ? [] : ["--shell", shell]),
    ...(home === undefined ? [] : ["--home-dir", home]),
    ...(comment === undefined ? [] : ["--comment", comment]),
    ...(system ? ["--system"] : []),
    createHome ? "--create-home" : "--no-create-home",
  ];
  return { what: name, from: undefined, to: "present", actions: [run("useradd", ...flags, name)] };
}

function planAccount(params: Params, entry: UserEntry): readonly Change[] {
  const { name, uid, group, shell, home, comment, system, createHome = !system } = params;
  const set = (what: string, from: string, to: string | undefined, ...flags: readonly string[]): Change => ({
    what: `${name} ${what}`,
    from,
    to: to ?? from,
    actions: [run("usermod", ...flags, name)],
  });
  return differences(
    set("uid", String(entry.uid), uid?.toString(), "--uid", String(uid)),
    set("group", entry.group, group, "--gid", String(group)),
    set("shell", entry.shell, shell, "--shell", String(shell)),
    set("comment", entry.comment, comment, "--comment", String(comment)),
    set("home", entry.home, home, "--home", String(home), ...(createHome ? ["--move-home"] : [])),
  );
}

function planGroups({ name, groups, onlyGroups }: Params, entry: UserEntry): readonly Change[] {
  if (!groups) return [];
  const wanted = onlyGroups ? groups : [...new Set([...entry.groups, ...groups])];
  const list = wanted.toSorted().join(",");
  const action: Action = run("usermod", "--groups", list, name);
  return differences({
    what: `${name} groups`,
    from: entry.groups.toSorted().join(","),
    to: list,
    actions: [action],
  });
}

function planPassword({ name, password }: Params, isLocked: boolean): readonly Change[] {
  if (password === undefined || isLocked) return [];
  return [
    { what: `${name} password`, from: "open", to: "locked", actions: [run("usermod", "--lock", name)] },
  ];
}
