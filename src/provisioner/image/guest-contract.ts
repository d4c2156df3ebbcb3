import type { FactAnswer, FactRequest } from "../core/facts.ts";
import type { Host } from "../core/host.ts";
import { openLink, type Link } from "../core/link.ts";
import type { Run } from "../core/run.ts";
import type { MountEntry, Output, UserEntry } from "../core/task.ts";
import { until } from "../core/until.ts";
import type { Assertion } from "./contract.ts";
import { maintenanceSentence } from "./maintenance.ts";
import { stateLayout } from "../core/state-layout.ts";
import { cloudInitComplaints } from "./wait-for-cloud-init.ts";

/** Who a verification boots the image as. */
export interface Identity {
  readonly user: string;
  readonly hostName: string;
  /** The host key that was handed in: type and blob. */
  readonly hostKey: string;
}

/** What must stay over reboots. */
export interface Kept {
  readonly machineId: string;
  readonly hostKey: string;
}

const sshHostKey = "/etc/ssh/ssh_host_ed25519_key.pub";

/** Everything is asked in one flight. */
const questions = {
  machineId: { kind: "file", about: "/etc/machine-id" },
  hostName: { kind: "file", about: "/etc/hostname" },
  hostKey: { kind: "file", about: sshHostKey },
  passwd: { kind: "file", about: "/etc/passwd" },
  root: { kind: "mount", about: "/" },
  failed: query("systemctl", "list-units", "--failed", "--plain", "--no-legend"),
  state: query("systemctl", "is-system-running"),
  cloudInit: { kind: "file", about: "/run/cloud-init/result.json" },
  cloudInitStages: { kind: "file", about: "/run/cloud-init/status.json" },
  builder: { kind: "user", about: "builder" },
} as const satisfies Record<string, FactRequest>;

/** Holds a booted image to its contract, under an identity it has just been given. */
export async function checkGuest(
  host: Host,
  identity: Identity,
  claims: { readonly readOnlyRoot: boolean; readonly before: Kept | undefined; readonly run: Run },
): Promise<{ readonly assertions: readonly Assertion[]; readonly kept: Kept }> {
  const link = openLink(host, claims.run);
  await untilUp(link, claims.run);
  const facts = Object.values(questions);
  const { answers } = await link.ask({ facts });
  const answer = new Map<FactRequest, FactAnswer | undefined>(
    facts.map((fact, index) => [fact, answers[index]]),
  );
  const text = (fact: FactRequest) => (valueOf(answer.get(fact)) as string | undefined)?.trim() ?? "";
  const printed = (fact: FactRequest) =>
    (valueOf(answer.get(fact)) as Output | undefined)?.stdout.trim() ?? "unknown";
  const kept: Kept = { machineId: text(questions.machineId), hostKey: keyOf(text(questions.hostKey)) };
  const state = printed(questions.state);
  const root = valueOf(answer.get(questions.root)) as MountEntry | undefined;
  const builder = valueOf(answer.get(questions.builder)) as UserEntry | undefined;

  const assertions: Assertion[] = [
    is("has a machine-id of its own", /^[0-9a-f]{32}$/.test(kept.machineId), kept.machineId),
    is(
      "has the host name it was given",
      text(questions.hostName) === identity.hostName,
      text(questions.hostName),
    ),
    is("has the host key it was given", kept.hostKey === keyOf(identity.hostKey), kept.hostKey),
    is("knows nobody but the user it was given", ...strangers(text(questions.passwd), identity.user)),
    is("knows no builder", builder === undefined, `uid ${builder?.uid ?? ""}`),
    is("runs with no failed unit", printed(questions.failed) === "", printed(questions.failed)),
    is("has come up whole", state === "running", state),
    is(
      "has cloud-init done without an error",
      ...cloudInit(text(questions.cloudInit), text(questions.cloudInitStages)),
    ),
  ];
  if (claims.before) {
    assertions.push(
      is("keeps its machine-id", kept.machineId === claims.before.machineId, kept.machineId),
      is("keeps its host key", kept.hostKey === claims.before.hostKey, kept.hostKey),
    );
  }
  if (claims.readOnlyRoot) assertions.push(...(await checkReadOnly(link, root)));
  return { assertions, kept };
}

/** SSH opens before the last units are through: `starting` is no answer yet. */
async function untilUp(link: Link, run: Run): Promise<void> {
  await until(
    async () => {
      const { answers } = await link.ask({ facts: [questions.state] });
      const state = (valueOf(answers[0]) as Output | undefined)?.stdout.trim();
      return state === "starting" || state === "initializing" ? undefined : true;
    },
    { deadlineMs: 300_000, pauseMs: 1000, longestMs: 5000, signal: run.signal },
  );
}

async function checkReadOnly(link: Link, root: MountEntry | undefined): Promise<Assertion[]> {
  const touched = ["/x-provision", "/usr/x-provision", "/opt/x-provision"];
  const writable = ["/etc", "/home", "/root", "/tmp", "/var/tmp", ...stateLayout.moved];
  const facts = [
    ...touched.map((path) => query("touch", path)),
    ...writable.map((path) => query("test", "-w", path)),
    query("apt-get", "install", "-y", "hello"),
  ];
  const { answers } = await link.ask({ facts });
  const outputs = answers.map((each) => valueOf(each) as Output | undefined);
  const apt = outputs.at(-1);
  return [
    is(
      "root is mounted read-only",
      root?.options.includes("ro") === true,
      root?.options.join(",") ?? "unknown",
    ),
    ...touched.map((path, index) =>
      is(`refuses to write ${path}`, outputs[index]?.code !== 0, "it was written"),
    ),
    ...writable.map((path, index) =>
      is(`can write to ${path}`, outputs[touched.length + index]?.code === 0, "not writable"),
    ),
    is(
      "refuses apt with a word about maintenance",
      apt?.code === 100 && apt.stderr.includes(maintenanceSentence),
      apt?.stderr ?? "",
    ),
  ];
}

function query(...argv: [string, ...string[]]): FactRequest {
  return { kind: "query", about: { argv } };
}

function valueOf(answer: FactAnswer | undefined): unknown {
  return answer && "value" in answer ? answer.value : undefined;
}

function is(what: string, held: boolean, found: string): Assertion {
  return { what, against: held ? [] : [found === "" ? "nothing" : found] };
}

/** Type and blob, without the comment. */
function keyOf(line: string): string {
  return line.split(/\s+/).slice(0, 2).join(" ");
}

function strangers(passwd: string, user: string): [boolean, string] {
  const names = passwd
    .split("\n")
    .map((line) => line.split(":"))
    .filter(([, , uid]) => Number(uid) >= 1000 && Number(uid) < 60_000)
    .map(([name]) => name ?? "");
  return [names.length === 1 && names[0] === user, names.join(", ")];
}

function cloudInit(result: string, stages: string): [boolean, string] {
  const complaints = result === "" ? ["not done"] : cloudInitComplaints(result, stages);
  return [complaints.length === 0, complaints.join("; ")];
}
