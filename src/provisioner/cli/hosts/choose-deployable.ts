import { hostNames } from "../../spec/find-hosts.ts";
import { specInvalid } from "../../spec/image-spec.ts";
import { clashesOf } from "../check-hosts.ts";
import { findProject } from "../project.ts";
import type { Shell } from "../shell.ts";
import { chooseHosts, type ChosenHosts, type HostFlags, unknownHost } from "./choose-hosts.ts";

/** The hosts that are meant, each with its file, and none in another's way. */
export async function chooseDeployable(
  names: readonly string[],
  flags: HostFlags,
  shell: Pick<Shell, "env" | "cwd">,
): Promise<ChosenHosts["hosts"]> {
  const { hosts, unknown } = await chooseHosts(names, flags, shell);
  const [first] = unknown;
  if (first !== undefined) throw unknownHost(first, await hostNames(findProject(shell).hostsDir));
  const complaints = await clashesOf(
    hosts.map(({ loaded }) => loaded),
    shell,
  );
  if (complaints.length > 0) throw specInvalid(complaints);
  return hosts;
}
