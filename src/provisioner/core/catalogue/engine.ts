import type { Complaint } from "../complaint.ts";
import { entry } from "./entry.ts";
import { gitMend } from "../git-mend.ts";

/** What is wrong in the files and flags that a user gives, and what the engine meets while it settles a host. */
export const engine = {
  // — usage —
  SPEC_INVALID: entry<{ complaints: readonly Complaint[]; mend: string }>({
    exit: 2,
    say: ({ complaints }) => complaints.map(({ what }) => what).join("\n"),
    mend: ({ mend }) => mend,
  }),
  USAGE: entry<{ what: string; mend: string }>({
    exit: 2,
    say: ({ what }) => what,
    mend: ({ mend }) => mend,
  }),
  TEMPLATE_FAILED: entry<{ template: string; reason: string }>({
    exit: 2,
    say: ({ template, reason }) => `Cannot fill template "${template}": ${reason}`,
    mend: ({ template }) => `Correct templates/${template}.hbs or the variables the use gives it`,
  }),
  SECRET_UNAVAILABLE: entry<{ secret: string; reason: string; mend: string }>({
    exit: 2,
    say: ({ secret, reason }) => `Cannot take a secret from ${secret}: ${reason}`,
    mend: ({ mend }) => mend,
  }),
  SETTING_INVALID: entry<{ name: string; wanted: string; got: string }>({
    exit: 2,
    say: ({ name, wanted, got }) => `Cannot accept ${name}: must be ${wanted}, is "${got}"`,
    mend: ({ name }) => `Correct or unset ${name} in the environment`,
  }),
  // — engine —
  FACT_UNKNOWN: entry<{ use: string; fact: string; reason: string }>({
    exit: 5,
    say: ({ use, fact, reason }) => `Cannot settle ${use}: ${fact} cannot be known: ${reason}`,
    mend: ({ fact }) =>
      `Make "${fact}" readable on the target, or put the use that provides it before this one`,
  }),
  ACTION_FAILED: entry<{ use: string; action: string; code: number; tail: string }>({
    exit: 5,
    say: ({ use, action, code, tail }) =>
      `Cannot settle ${use}: \`${action}\` must exit 0, is ${code}${tail && `\n${tail}`}`,
    mend: ({ action, tail }) => actionMend(action, tail),
  }),
  ACTION_TIMED_OUT: entry<{ use: string; action: string; tail: string }>({
    exit: 5,
    say: ({ use, action, tail }) =>
      `Cannot settle ${use}: \`${action}\` did not end in time${tail && `\n${tail}`}`,
    mend: ({ action }) => `Run \`${action}\` on the target to see what it waits for`,
  }),
  CHANGED_UNDERNEATH: entry<{ use: string; path: string }>({
    exit: 5,
    say: ({ use, path }) =>
      `Cannot settle ${use}: "${path}" must be as it was read, is changed by somebody else`,
    mend: ({ path }) => `Find out who writes "${path}" on the target, then run the same command again`,
  }),
  TASK_REFUSED: entry<{ use: string; reason: string }>({
    exit: 5,
    say: ({ use, reason }) => `Cannot settle ${use}: ${reason}`,
    mend: ({ use }) => `Correct the parameters of "${use}", or clear on the target what stands in its way`,
  }),
  TASK_NOT_SETTLED: entry<{ use: string; what: string; wanted: string; got: string }>({
    exit: 6,
    say: ({ use, what, wanted, got }) => `Cannot settle ${use}: ${what} must be ${wanted}, is ${got}`,
    mend: ({ what }) =>
      `Find what else on the target decides "${what}"; two uses may want different things of it`,
  }),
  CHANGE_REVERTED: entry<{ use: string; seconds: number }>({
    exit: 6,
    say: ({ use, seconds }) =>
      `Cannot settle ${use}: the host must answer on a new connection within ${seconds} s, did not, and has taken the change back`,
    mend: ({ use }) =>
      `Correct the addresses and routes of "${use}": with them the host cannot be reached from here; it is as it was before`,
  }),
  CHANGE_NOT_REVERTED: entry<{ use: string; seconds: number; tail: string }>({
    exit: 6,
    say: ({ use, seconds, tail }) =>
      `Cannot settle ${use}: the host must answer on a new connection within ${seconds} s, did not, and could not take the change back whole${tail && `\n${tail}`}`,
    mend: ({ use }) =>
      `Mend on the host what it says above: the files of "${use}" are as before, but not in effect; then correct its addresses and routes`,
  }),
  ACTION_REFUSED: entry<{ action: string; reason: string }>({
    exit: 2,
    say: ({ action, reason }) => `Cannot send ${action}: ${reason}`,
    mend: ({ action }) => `Correct what the spec gives for ${action}`,
  }),
  LOCKED: entry<{ host: string; holder: string; lock: string }>({
    exit: 7,
    say: ({ host, holder, lock }) => `Cannot work on ${host}: "${lock}" must be free, is held by ${holder}`,
    mend: ({ host, lock }) =>
      `Wait until that run has ended; when it is dead and its lock stays, run \`rm ${lock}\` on ${host}`,
  }),
  STOPPED: entry<{ left: string }>({
    exit: 130,
    say: ({ left }) => `Stopped: ${left}`,
    mend: () => "Run the same command again: it goes on where it stopped",
  }),
} as const;

/** Programs fail for a thousand causes too; these are the ones that a person meets, in the words of apt and the kernel. */
function actionMend(action: string, tail: string): string {
  const mend = gitMend(tail);
  if (mend !== undefined) return mend;
  const [, name] =
    /Unable to locate package (\S+)|Package '?([^\s']+)'? has no installation candidate|Version '\S+' for '(\S+)' was not found/
      .exec(tail)
      ?.filter(Boolean) ?? [];
  if (name !== undefined)
    return `Correct "${name}" in the spec (\`apt-cache policy ${name}\` on the target shows what there is), or put the apt-repository that has it before this use`;
  if (/No space left on device|enough free space/.test(tail))
    return "Free space on the target: `df -h` shows which file system is full";
  // Before the network, whose words apt uses for it too.
  if (/signature verification failed|NO_PUBKEY|is not signed|Missing key [0-9A-F]+/.test(tail))
    return "Compare the key that the repository is signed with now with the one pinned for it, and pin the new one only if its project has announced it";
  if (/Failed to fetch|Could not (resolve|connect)|Temporary failure resolving/.test(tail))
    return "Check the target's network and the archives in its /etc/apt: `apt-get update` there must succeed";
  if (/AppArmor parser error/.test(tail))
    return "Correct the profile: the line that the parser names is one of its text, or of a file it includes";
  // A script is told by its name alone: nobody could run that.
  return action.includes("…")
    ? "Read the log of this run: it has all that the program printed on the target"
    : `Run \`${action}\` on the target to see why it fails; the log of this run has all it printed`;
}
