import { dirname, resolve } from "node:path";

import { ProvisionError } from "../core/errors.ts";
import { hostNames } from "../spec/find-hosts.ts";
import { nearestName } from "../spec/nearest-name.ts";
import { specNames } from "../spec/read-spec-files.ts";
import { findProject } from "./project.ts";
import type { Shell } from "./shell.ts";

/** Names and files, by what they are of. */
export interface SortedNames {
  readonly specs: readonly string[];
  readonly hosts: readonly string[];
}

/** Tells specs from hosts; all there are when none is named. A name of both is both. */
export async function sortNames(
  names: readonly string[],
  shell: Pick<Shell, "env" | "cwd">,
): Promise<SortedNames> {
  const { specsDir, hostsDir } = findProject(shell);
  const known = { specs: await specNames(specsDir), hosts: await hostNames(hostsDir) };
  if (names.length === 0) {
    if (known.specs.length + known.hosts.length > 0) return known;
    throw new ProvisionError("USAGE", {
      what: `Cannot validate: there must be specs in ${specsDir}, are none`,
      mend: "Name a file, or set PROVISION_HOME to a folder with specs/",
    });
  }
  const kinds = names.map((name) => {
    if (/\/|\.ya?ml$/.test(name)) {
      return dirname(resolve(shell.cwd, name)) === hostsDir ? { isHost: true } : { isSpec: true };
    }
    return kindOf(name, known);
  });
  return {
    specs: names.filter((_, index) => kinds[index]?.isSpec),
    hosts: names.filter((_, index) => kinds[index]?.isHost),
  };
}

/** One that nobody has is taken for what it is most like: the complaint about it then names that. */
function kindOf(name: string, { specs, hosts }: SortedNames): { isSpec?: boolean; isHost?: boolean } {
  const kind = { isSpec: specs.includes(name), isHost: hosts.includes(name) };
  if (kind.isSpec || kind.isHost) return kind;
  const isLikeHost = nearestName(name, specs) === undefined && nearestName(name, hosts) !== undefined;
  return isLikeHost ? { isHost: true } : { isSpec: true };
}
