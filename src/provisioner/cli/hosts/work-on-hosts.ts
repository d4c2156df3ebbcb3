import type { DeployedHost, HostDriver } from "../../deploy/deployed-host.ts";
import type { Run } from "../../core/run.ts";
import type { Ending } from "../exit-code.ts";
import type { Session } from "../session.ts";
import type { MeantHost } from "./choose-hosts.ts";
import { deployedOrNot } from "./deployed-or-not.ts";
import { endingOf, forEachHost, outcomesAsData, outcomesInWords } from "./for-each-host.ts";
import type { Hypervisors } from "./hypervisors.ts";

/** Hosts, and what is to be done with each that is deployed; what it gives says what came of it. */
export interface HostsOrder {
  readonly hosts: readonly MeantHost[];
  readonly hypervisors: Hypervisors<HostDriver>;
  readonly width: number;
  readonly work: (driver: HostDriver, host: DeployedHost, run: Run) => Promise<string>;
}

/** Does one thing with every host. */
export async function workOnHosts(
  { hosts, hypervisors, width, work }: HostsOrder,
  { run, result }: Pick<Session, "run" | "result">,
): Promise<Ending> {
  const outcomes = await forEachHost(
    hosts,
    async (host, inner) => {
      const driver = await hypervisors.at(host.uri);
      const found = await deployedOrNot(host, driver);
      return found === undefined ? "not deployed" : work(driver, found, inner);
    },
    { run, width, words: (outcome) => outcome },
  );
  result(
    outcomesInWords(outcomes, (outcome) => outcome),
    { hosts: outcomesAsData(outcomes, (outcome) => ({ outcome })) },
  );
  return endingOf(outcomes);
}
