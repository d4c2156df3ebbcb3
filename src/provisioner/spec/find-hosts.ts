import { realpath } from "node:fs/promises";
import { basename, join } from "node:path";

import { ProvisionError } from "../core/errors.ts";
import { nearestName } from "./nearest-name.ts";
import { isMissing, specNames } from "./read-spec-files.ts";

/** The file beside the hosts' own that holds what is the same for all; never a host's name. */
export const defaultsName = "defaults";

/** Names of the hosts in a folder, in order. */
export async function hostNames(hostsDir: string): Promise<readonly string[]> {
  return (await specNames(hostsDir)).filter((name) => name !== defaultsName);
}

/** A host by name, or by path when it has a slash or ends in .yaml, as a path. */
export async function findHost(host: string, hostsDir: string): Promise<string> {
  const path = /\/|\.ya?ml$/.test(host) ? host : join(hostsDir, `${host}.yaml`);
  const known = await hostNames(hostsDir);
  const isHost = hostName(path) !== defaultsName;
  const found = isHost ? await realpath(path).catch(unlessMissing) : undefined;
  if (found !== undefined) return found;
  const nearest = nearestName(host, known);
  throw new ProvisionError("USAGE", {
    what: `Cannot find host "${host}": must be a file ${path}, is ${isHost ? "missing" : "what all hosts share"}`,
    mend: nearest === undefined ? `Name one of: ${known.join(", ")}` : `Name "${nearest}"`,
  });
}

/** `host01` for hosts/host01.yaml. */
export function hostName(path: string): string {
  return basename(path).replace(/\.ya?ml$/, "");
}

function unlessMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error;
}
