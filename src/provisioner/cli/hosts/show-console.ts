import type { HostDriver } from "../../deploy/deployed-host.ts";
import { consoleLogOf } from "../../deploy/follow-console.ts";
import type { Ending } from "../exit-code.ts";
import { visibleText } from "../render/visible-text.ts";
import type { Session } from "../session.ts";
import type { MeantHost } from "./choose-hosts.ts";
import { deployedOrNot } from "./deployed-or-not.ts";
import type { Hypervisors } from "./hypervisors.ts";

/** Whose console, and how much of it. */
export interface ConsoleOrder {
  readonly host: MeantHost;
  readonly hypervisors: Hypervisors<HostDriver>;
  readonly lines: number;
  readonly follow: boolean;
}

/** Shows the end of a host's console, and goes on with it until the run is stopped. */
export async function showConsole(
  { host, hypervisors, lines, follow }: ConsoleOrder,
  { run, result }: Pick<Session, "run" | "result">,
): Promise<Ending> {
  const driver = await hypervisors.at(host.uri);
  const found = await deployedOrNot(host, driver);
  // Who names one host wants no other.
  if (found === undefined) return "as-wanted";
  const log = consoleLogOf(driver, found);
  const say = (text: readonly string[]) =>
    result(visibleText(text.join("\n")), { host: host.name, lines: text });
  const end = await log.end(lines);
  if (end.lines.length > 0) say(end.lines);
  else if (!follow) result(`The console of ${host.name} is empty`, { host: host.name, lines: [] });
  if (follow) await log.follow(end.size, say, run);
  return "as-wanted";
}
