import {
  type Change,
  defineTask,
  differences,
  Refusal,
  run,
  type UserEntry,
  write,
} from "../../provisioner/core/task.ts";
import { readSetting, withSetting } from "./login-defs.ts";
import { firstFree, lineOf, overlaps, type Range, readRanges, withRange } from "./ranges.ts";
import { type Params, schema } from "./schema.ts";

/**
 * Numbers that a user may map into namespaces of their own: what rootless containers need. For one user it is a line
 * in each of the two files; for users that come later, what useradd gives them.
 */
export const subuid = defineTask({
  name: "subuid",
  summary: "Subordinate user and group ids, of one user or as a template for users that come later.",
  schema,
  examples: [
    { title: "Whoever comes later", params: { newUsers: { count: 65_536, min: 100_000, max: 600_100_000 } } },
    {
      title: "A user's own range",
      params: { user: "alice", start: 200_000, count: 65_536 },
      trial: { given: [{ user: { name: "alice" } }] },
    },
    {
      title: "The first range that is free",
      params: { user: "bob" },
      trial: { given: [{ user: { name: "bob" } }] },
    },
  ],

  spoil: ({ user }) => [
    user === undefined
      ? run("sed", "-i", "s/^SUB_UID_COUNT.*/SUB_UID_COUNT 1/", SETTINGS)
      : run("sed", "-i", `/^${user}:/d`, UIDS, GIDS),
  ],

  subject: ({ user }) => user ?? "new users",

  async read(facts, { user }): Promise<State> {
    const [uids, gids, settings, entry] = await Promise.all([
      facts.file(UIDS),
      facts.file(GIDS),
      facts.file(SETTINGS),
      user === undefined ? undefined : facts.user(user),
    ]);
    return { uids, gids, settings, entry };
  },

  plan({ user, start, count = 65_536, newUsers }, state) {
    if (newUsers) return planTemplate(newUsers, state);
    return user === undefined ? [] : planUser({ user, start, count }, state);
  },
});

const UIDS = "/etc/subuid";
const GIDS = "/etc/subgid";
const SETTINGS = "/etc/login.defs";

/** What useradd takes where login.defs is silent. */
const usual = { min: 100_000, max: 600_100_000 };

interface State {
  readonly uids: string | undefined;
  readonly gids: string | undefined;
  readonly settings: string | undefined;
  readonly entry: UserEntry | undefined;
}

interface Wanted {
  readonly user: string;
  readonly start: number | undefined;
  readonly count: number;
}

function planTemplate(
  { count, min, max }: NonNullable<Params["newUsers"]>,
  { uids, gids, settings }: State,
): readonly Change[] {
  const text = ["UID", "GID"].reduce((before, kind) => {
    refuseNoRoom(kind, { count, ...bounds(settings ?? "", kind, { min, max }) });
    const wanted = { MIN: min, MAX: max, COUNT: count };
    return Object.entries(wanted).reduce(
      (lines, [name, value]) =>
        value === undefined ? lines : withSetting(lines, `SUB_${kind}_${name}`, value),
      before,
    );
  }, settings ?? "");
  return differences(
    { what: SETTINGS, from: settings, to: text, actions: [write(SETTINGS, text)] },
    // Without the files useradd gives nobody anything.
    { what: UIDS, from: uids, to: uids ?? "", actions: [write(UIDS, "")] },
    { what: GIDS, from: gids, to: gids ?? "", actions: [write(GIDS, "")] },
  );
}

function planUser(wanted: Wanted, state: State): readonly Change[] {
  const { user, count } = wanted;
  const uids = readRanges(state.uids ?? "");
  const gids = readRanges(state.gids ?? "");
  // Both files take a name or a number.
  const isTheirs = (owner: string) => owner === user || owner === state.entry?.uid.toString();
  const theirs = (ranges: readonly Range[]) => ranges.find(({ owner }) => isTheirs(owner))?.start;
  const others = (ranges: readonly Range[]) => ranges.filter(({ owner }) => !isTheirs(owner));
  const free = () => findFree(count, [...others(uids), ...others(gids)], state.settings ?? "");
  const both = wanted.start ?? theirs(uids) ?? theirs(gids) ?? free();
  const plan = (path: string, text: string | undefined, ranges: readonly Range[]): Change => {
    const range = { owner: user, start: wanted.start ?? theirs(ranges) ?? both, count };
    refuseOverlap(path, range, others(ranges));
    const found = ranges.filter(({ owner }) => isTheirs(owner)).map(lineOf);
    return {
      what: `${path} ${user}`,
      from: found.length === 0 ? undefined : found.join(", "),
      to: lineOf(range),
      actions: [write(path, withRange(text ?? "", range, isTheirs))],
    };
  };
  return differences(plan(UIDS, state.uids, uids), plan(GIDS, state.gids, gids));
}

function refuseOverlap(path: string, range: Range, others: readonly Range[]): void {
  const last = range.start + range.count - 1;
  if (last > 4_294_967_294) {
    throw new Refusal(`"${lineOf(range)}" must end at 4294967294, ends at ${last}; take a lower start`);
  }
  const other = others.find((found) => overlaps(range, found));
  if (!other) return;
  throw new Refusal(
    `"${lineOf(range)}" must have numbers of its own in ${path}, overlaps "${lineOf(other)}"; take another start`,
  );
}

function findFree(count: number, taken: readonly Range[], settings: string): number {
  const { min, max } = bounds(settings, "UID", {});
  const start = firstFree(taken, { min, max, count });
  if (start !== undefined) return start;
  throw new Refusal(
    `${count} numbers between ${min} and ${max} must be free, are not; give a start, or a higher SUB_UID_MAX in ${SETTINGS}`,
  );
}

function bounds(
  settings: string,
  kind: string,
  given: { readonly min?: number | undefined; readonly max?: number | undefined },
): { readonly min: number; readonly max: number } {
  const {
    min = readSetting(settings, `SUB_${kind}_MIN`) ?? usual.min,
    max = readSetting(settings, `SUB_${kind}_MAX`) ?? usual.max,
  } = given;
  return { min, max };
}

function refuseNoRoom(
  kind: string,
  room: { readonly min: number; readonly max: number; readonly count: number },
): void {
  const { min, max, count } = room;
  if (min + count - 1 <= max) return;
  throw new Refusal(
    `a range of ${count} must fit between SUB_${kind}_MIN ${min} and SUB_${kind}_MAX ${max}, does not; give min, max or a smaller count`,
  );
}
