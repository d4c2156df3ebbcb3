import { join } from "node:path";

import { converge, type Summary } from "../core/converge.ts";
import { emptyHost } from "../core/empty-host.ts";
import type { Host } from "../core/host.ts";
import type { HostMark } from "../libvirt/driver.ts";
import { bootPatience } from "../libvirt/guest-boot.ts";
import type { DeployedHost } from "./deployed-host.ts";
import { holdLock } from "../local/lock.ts";
import { changeHost, checkInPlace } from "./change-host.ts";
import { checkNewHost, createHost } from "./create-host.ts";
import type { Deployment } from "./deployment.ts";
import type { DomainChange } from "./plan-domain.ts";
import { type Survey, surveyHost } from "./survey-host.ts";

/** What became of a host's machine, or would. */
export type MachineOutcome = "made" | "made anew" | "changed" | "as wanted";

/** What a deployment did, or would do. */
export interface Deployed {
  readonly host: string;
  readonly machine: MachineOutcome;
  readonly changes: readonly DomainChange[];
  readonly loses: readonly string[];
  /** Of the tasks, identity included. */
  readonly tasks: Summary;
}

/**
 * Brings a host to what its file says: makes its machine or changes it in place, then settles identity and tasks over
 * SSH. With nothing to do it is one connection and one flight.
 */
export async function deployHost(deployment: Deployment): Promise<Deployed> {
  const { spec, driver, workDir, run } = deployment;
  const lock = join(workDir, `${driver.uri} host ${spec.name}`.replaceAll("/", "_"));
  await using _lock = await holdLock(lock, `the deployment of ${spec.name}`, run);
  const survey = await surveyHost(deployment);
  const machine = outcomeOf(survey, deployment);
  const isNew = machine === "made" || machine === "made anew";
  if (!isNew) checkInPlace(survey, spec.name);
  await using host = isNew
    ? (await createHost(survey, deployment, run)).host
    : await reach(survey, deployment);
  report(survey, machine, { deployment, done: true });
  // Whoever made the host may have been at another machine.
  if (!isNew) await deployment.remember(spec.name, survey.machine.mark.host?.hostKey ?? "");
  const gone = goneUsers(survey, deployment);
  const users = usersOf(deployment);
  if (gone.length > 0) await writeUsers(deployment, [...users, ...gone]);
  const login = loginOf(survey, deployment);
  const tasks = await settle(
    host,
    deployment,
    gone.filter((user) => user !== login),
  );
  const left = gone.includes(login) ? [...users, login] : users;
  if (left.length > users.length)
    run.note(`${login} of ${spec.name} is logged in for this run and goes with the next`, "warning");
  if (gone.length > 0 || differ(survey.found?.mark.host, left)) await writeUsers(deployment, left);
  return { host: spec.name, machine, changes: survey.changes, loses: survey.loses, tasks };
}

/** Says what `deployHost` would do, and changes nothing. */
export async function planHost(deployment: Deployment): Promise<Deployed> {
  const { spec, driver, sources, run } = deployment;
  const survey = await surveyHost(deployment);
  const machine = outcomeOf(survey, deployment);
  report(survey, machine, { deployment, done: false });
  const gone = goneUsers(survey, deployment);
  const answer = (tasks: Summary): Deployed => ({
    host: spec.name,
    machine,
    changes: survey.changes,
    loses: survey.loses,
    tasks,
  });
  const { found } = survey;
  const isNew = machine === "made" || machine === "made anew";
  if (!isNew) checkInPlace(survey, spec.name);
  if (isNew || found === undefined || (await driver.hosts.guest(found).state()) !== "running") {
    const distribution = isNew ? (await checkNewHost(survey, deployment)).distribution : undefined;
    await using host = emptyHost(distribution);
    return answer(await converge(deployment.recipe(gone), { host, run, check: true, sources }));
  }
  await using host = await connect(survey, deployment, found);
  return answer(await converge(deployment.recipe(gone), { host, run, check: true, sources }));
}

function outcomeOf({ found, changes, loses }: Survey, { replace }: Deployment): MachineOutcome {
  if (found === undefined) return "made";
  if (replace && loses.length > 0) return "made anew";
  return changes.length > 0 ? "changed" : "as wanted";
}

/** The machine's changes look like those of any use. */
function report(
  { changes, found }: Survey,
  machine: MachineOutcome,
  { deployment, done }: { readonly deployment: Deployment; readonly done: boolean },
): void {
  const { spec, run } = deployment;
  const all =
    found === undefined
      ? [{ what: `machine ${spec.name}`, from: undefined, to: "present", actions: [] }]
      : changes.map(({ what, from, to, how }) => ({
          what: how === "at once" ? what : `${what} (${how})`,
          from,
          to,
          actions: [],
        }));
  const outcome = machine === "as wanted" ? "ok" : done ? "changed" : "would-change";
  run.report({
    kind: "use-ended",
    step: run.step,
    use: `machine ${spec.name}`,
    outcome,
    changes: all,
    ms: 0,
  });
}

async function reach(survey: Survey, deployment: Deployment): Promise<Host> {
  const { found } = survey;
  if (found === undefined) throw new Error(`${deployment.spec.name} is to be reached and is not there`);
  await changeHost({ ...survey, found }, deployment, deployment.run);
  return connect(survey, deployment, found);
}

function connect(survey: Survey, deployment: Deployment, found: DeployedHost): Promise<Host> {
  const guest = deployment.driver.hosts.guest(found);
  return deployment.run.within("Connect", (run) =>
    deployment.reach({
      deployment,
      guest,
      hostKey: survey.machine.mark.host?.hostKey ?? "",
      user: loginOf(survey, deployment),
      patience: bootPatience[guest.accelerator],
      run,
    }),
  );
}

function settle(host: Host, deployment: Deployment, gone: readonly string[]): Promise<Summary> {
  const { recipe, sources, run } = deployment;
  return run.within("Settle identity and tasks", (inner) =>
    converge(recipe(gone), { host, run: inner, check: false, sources }),
  );
}

function usersOf({ spec }: Deployment): readonly string[] {
  return spec.users.map(({ name }) => name);
}

/** Who could log in before, and may no longer. */
function goneUsers({ found }: Survey, deployment: Deployment): readonly string[] {
  const users = usersOf(deployment);
  return (found?.mark?.host?.users ?? []).filter((user) => !users.includes(user));
}

/** The first user who may do everything; until that one was made, the first of those the host knows. */
function loginOf({ found }: Survey, { line }: Deployment): string {
  const known = found?.mark.host.users ?? [];
  return known.length === 0 || known.includes(line.user) ? line.user : (known[0] ?? line.user);
}

function differ(mark: HostMark | undefined, users: readonly string[]): boolean {
  return mark !== undefined && JSON.stringify(mark.users) !== JSON.stringify(users);
}

async function writeUsers({ spec, driver }: Deployment, users: readonly string[]): Promise<void> {
  const now = await driver.hosts.find(spec.name);
  const mark = now?.mark;
  if (now === undefined || mark?.host === undefined) return;
  await driver.hosts.setMark(now.uuid, { ...mark, host: { ...mark.host, users } });
}
