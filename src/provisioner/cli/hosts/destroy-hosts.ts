import { ProvisionError } from "../../core/errors.ts";
import type { HostDriver } from "../../deploy/deployed-host.ts";
import { destroyHost, type Destroyed } from "../../deploy/destroy-host.ts";
import { type DestroyPlan, isNothing, planDestroy } from "../../deploy/plan-destroy.ts";
import { count } from "../render/words.ts";
import type { Ending } from "../exit-code.ts";
import { hostKeysFile } from "../host-keys-file.ts";
import type { Session } from "../session.ts";
import type { Shell } from "../shell.ts";
import type { MeantHost } from "./choose-hosts.ts";
import { endingOf, forEachHost, outcomesAsData, outcomesInWords } from "./for-each-host.ts";
import type { Hypervisors } from "./hypervisors.ts";

/** What is to be destroyed, and how. */
export interface DestroyOrder {
  readonly hosts: readonly MeantHost[];
  readonly hypervisors: Hypervisors<HostDriver>;
  readonly purge: boolean;
  /** Nobody is asked. */
  readonly yes: boolean;
  readonly width: number;
}

/** Says what will be lost, asks, and removes hosts. */
export async function destroyHosts(
  order: DestroyOrder,
  { run, result }: Pick<Session, "run" | "result">,
  shell: Pick<Shell, "ask" | "env" | "home">,
): Promise<Ending> {
  const { hosts, hypervisors, purge } = order;
  const knownHosts = hostKeysFile(shell);
  // Before anything is drawn: who is asked reads what is on the screen.
  const plans = new Map(
    hosts.map((host) => [
      host.name,
      (async () => {
        const driver = await hypervisors.at(host.uri);
        const plan = { name: host.name, spec: host.loaded?.spec, purge, knownHosts };
        return { driver, plan: await planDestroy(plan, driver) };
      })(),
    ]),
  );
  const looked = await Promise.allSettled(plans.values());
  const known = looked.flatMap((each) => (each.status === "fulfilled" ? [each.value.plan] : []));
  if (!order.yes) await confirm(known, shell);
  const outcomes = await forEachHost(
    hosts,
    async ({ name }, inner) => {
      const found = await plans.get(name);
      if (found === undefined) throw new Error(`Nobody looked at ${name}`);
      return destroyHost(found.plan, { driver: found.driver, knownHosts, run: inner });
    },
    { run, width: order.width, words: ({ outcome }) => outcome },
  );
  const more = { headings: ["DISKS"], cells: (done: Destroyed) => [diskWords(done)] };
  result(
    outcomesInWords(outcomes, ({ outcome }) => outcome, more),
    { purge, hosts: outcomesAsData(outcomes, (done) => done) },
  );
  return endingOf(outcomes);
}

async function confirm(plans: readonly DestroyPlan[], shell: Pick<Shell, "ask">): Promise<void> {
  const losing = plans.filter((plan) => !isNothing(plan));
  if (losing.length === 0) return;
  const names = losing.map(({ name }) => name).join(", ");
  const question = `${losing.flatMap(lossLines).join("\n")}\nDestroy ${names}? [y/N] `;
  const answer = await shell.ask(question);
  if (answer === undefined) {
    throw new ProvisionError("USAGE", {
      what: `Cannot ask whether ${names} may go: standard input must be a terminal, is not`,
      mend: "Give --yes if it may",
    });
  }
  if (/^y(es)?$/i.test(answer.trim())) return;
  throw new ProvisionError("USAGE", {
    what: `Cannot destroy ${names}: it must be confirmed by "y", is not; nothing was touched`,
    mend: "Answer y, or give --yes, if it may go",
  });
}

function lossLines({ name, domain, disks, kept, needed }: DestroyPlan): readonly string[] {
  return [
    `${name}${domain === undefined ? ", which has no machine any more" : `, ${domain.state}`}:`,
    ...(domain === undefined ? [] : ["  lost: the machine's definition, its firmware's settings, its console log"]),
    ...disks.map(({ path, bytes }) => `  lost: all that is on ${path} (${size(bytes)})`),
    ...kept.map(({ path, bytes }) => `  kept: ${path} (${size(bytes)}); --purge would remove it`),
    ...needed.map(({ volume, by }) => `  kept: ${volume.path}, which is needed by ${by}`),
  ];
}

function size(bytes: number): string {
  const mib = bytes / 1024 ** 2;
  return mib < 1024 ? `${Math.ceil(mib)} MiB` : `${(mib / 1024).toFixed(1)} GiB`;
}

function diskWords({ removed, kept }: Destroyed): string {
  const parts = [
    ...(removed.length === 0 ? [] : [`${count(removed.length, "disk")} removed`]),
    ...(kept.length === 0 ? [] : [`kept ${kept.join(", ")}`]),
  ];
  return parts.length === 0 ? "no disks" : parts.join("; ");
}
