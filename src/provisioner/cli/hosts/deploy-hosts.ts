import { ProvisionError } from "../../core/errors.ts";
import { type Deployed, deployHost, planHost } from "../../deploy/deploy-host.ts";
import { surveyHost } from "../../deploy/survey-host.ts";
import type { LoadedHost } from "../../spec/host-spec.ts";
import type { Ending } from "../exit-code.ts";
import { type DeployFlags, openDeployment } from "../open-deployment.ts";
import { count } from "../render/words.ts";
import type { Session } from "../session.ts";
import type { Shell } from "../shell.ts";
import type { MeantHost } from "./choose-hosts.ts";
import { endingOf, forEachHost, outcomesAsData, outcomesInWords } from "./for-each-host.ts";

/** Hosts to be deployed, and how. */
export interface DeployOrder {
  readonly hosts: readonly (MeantHost & { readonly loaded: LoadedHost })[];
  readonly flags: DeployFlags & { readonly check?: boolean };
  readonly width: number;
}

/** Deploys hosts, some at one time, or says what that would do. What replacing would lose is asked for before. */
export async function deployHosts(
  { hosts, flags, width }: DeployOrder,
  { run, redactor, result }: Session,
  shell: Shell,
): Promise<Ending> {
  const check = flags.check ?? false;
  if (flags.replace && !check && !flags.yes) await confirm(await lossesOf());
  const outcomes = await forEachHost(
    hosts,
    async ({ loaded }, inner) => {
      await using deployment = await openDeployment(loaded, { shell, flags, redactor, run: inner });
      return await (check ? planHost : deployHost)(deployment);
    },
    { run, width, words: (done) => words(done, check) },
  );
  const more = { headings: ["TASKS"], cells: (done: Deployed) => [taskWords(done, check)] };
  result(
    outcomesInWords(outcomes, (done) => words(done, check), more),
    { check, hosts: outcomesAsData(outcomes, ({ host: _host, ...done }) => done) },
  );
  const ending = endingOf(outcomes);
  const waits = outcomes.some((outcome) => "done" in outcome && isChange(outcome.done));
  return ending === "as-wanted" && check && waits ? "changes-wait" : ending;

  /** One after the other, before anything is drawn: whoever is asked reads what is on the screen. */
  async function lossesOf(): Promise<readonly string[]> {
    const losses: string[] = [];
    for (const { loaded } of hosts) {
      await using deployment = await openDeployment(loaded, { shell, flags, redactor, run });
      losses.push(...(await surveyHost(deployment)).loses);
    }
    return losses;
  }

  async function confirm(losses: readonly string[]): Promise<void> {
    if (losses.length === 0) return;
    const answer = await shell.ask(`Lost will be:\n  ${losses.join("\n  ")}\nReplace? [y/N] `);
    if (/^y(es)?$/i.test(answer?.trim() ?? "")) return;
    const what =
      answer === undefined
        ? "Cannot ask whether this may be lost: standard input must be a terminal, is not"
        : 'Cannot replace: it must be confirmed by "y", is not; nothing was touched';
    throw new ProvisionError("USAGE", {
      what: `${what}: ${losses.join("; ")}`,
      mend: "Answer y, or give --yes, if it may be lost; leave out --replace to keep it",
    });
  }
}

function isChange({ machine, tasks }: Deployed): boolean {
  return machine !== "as wanted" || tasks.changed + tasks.mayChange > 0;
}

function words({ machine }: Deployed, check: boolean): string {
  if (machine === "as wanted") return "machine as wanted";
  return check ? `machine would be ${machine}` : `machine ${machine}`;
}

function taskWords({ tasks }: Deployed, check: boolean): string {
  const { uses, changed, mayChange } = tasks;
  if (changed + mayChange === 0) return `${count(uses, "use")} as wanted`;
  if (!check) return `${changed} of ${count(uses, "use")} changed`;
  return `${changed} of ${count(uses, "use")} would change${mayChange === 0 ? "" : `, ${mayChange} may`}`;
}
