import { ProvisionError } from "../core/errors.ts";
import type { Complaint } from "../core/errors.ts";
import { hostNames } from "../spec/find-hosts.ts";
import { hostClashes } from "../spec/host-clashes.ts";
import type { LoadedHost } from "../spec/host-spec.ts";
import { lazyManifest } from "./compose.ts";
import { loadHost } from "./load-host.ts";
import { findProject } from "./project.ts";
import type { Shell } from "./shell.ts";

/** What was found of some hosts. */
export interface CheckedHosts {
  readonly hosts: readonly LoadedHost[];
  readonly complaints: readonly Complaint[];
}

/** Reads hosts by name or path, and holds them against each other and every other host of the project. */
export async function checkHosts(
  asked: readonly string[],
  shell: Pick<Shell, "env" | "cwd">,
): Promise<CheckedHosts> {
  if (asked.length === 0) return { hosts: [], complaints: [] };
  const manifest = lazyManifest(shell);
  const { hosts, complaints } = await readHosts(asked, shell, manifest);
  return { hosts, complaints: [...complaints, ...(await clashesOf(hosts, shell, manifest))] };
}

/** What hosts have that is another's too, among themselves and with every other host of the project. */
export async function clashesOf(
  hosts: readonly LoadedHost[],
  shell: Pick<Shell, "env" | "cwd">,
  manifest: Parameters<typeof loadHost>[2] = lazyManifest(shell),
): Promise<readonly Complaint[]> {
  const known = await readHosts(await hostNames(findProject(shell).hostsDir), shell, manifest);
  const own = new Set(hosts.map(fileOf));
  return hostClashes(
    hosts,
    known.hosts.filter((host) => !own.has(fileOf(host))),
  );
}

/** Reads hosts by name or path, each by itself. */
export async function readHosts(
  asked: readonly string[],
  shell: Pick<Shell, "env" | "cwd">,
  manifest: Parameters<typeof loadHost>[2] = lazyManifest(shell),
): Promise<CheckedHosts> {
  return joined(await Promise.all(asked.map((host) => loadOrComplain(host, shell, manifest))));
}

function fileOf({ files }: LoadedHost): string {
  return files.at(-1)?.path ?? "";
}

function joined(found: readonly CheckedHosts[]): CheckedHosts {
  return {
    hosts: found.flatMap(({ hosts }) => hosts),
    complaints: found.flatMap(({ complaints }) => complaints),
  };
}

async function loadOrComplain(
  host: string,
  shell: Pick<Shell, "env" | "cwd">,
  manifest: Parameters<typeof loadHost>[2],
): Promise<CheckedHosts> {
  try {
    return { hosts: [await loadHost(host, shell, manifest)], complaints: [] };
  } catch (error) {
    if (!(error instanceof ProvisionError) || error.code !== "SPEC_INVALID") throw error;
    return { hosts: [], complaints: (error as ProvisionError<"SPEC_INVALID">).facts.complaints };
  }
}
