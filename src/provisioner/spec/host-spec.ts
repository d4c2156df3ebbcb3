import { dirname, join } from "node:path";

import type { Complaint } from "../core/errors.ts";
import type { NetworkCard } from "../core/network-card.ts";
import type { Recipe } from "../core/recipe.ts";
import { fillHost } from "./fill-host.ts";
import { defaultsName, hostName } from "./find-hosts.ts";
import { hostProblems, nameComplaints } from "./host-problems.ts";
import { hostSchema } from "./host-schema.ts";
import type { HostText } from "./host-schema.ts";
import { type LoadOptions, specInvalid } from "./image-spec.ts";
import { layerYaml } from "./layer-yaml.ts";
import { readYamlFile } from "./read-yaml-file.ts";
import { isMissing } from "./read-spec-files.ts";
import type { YamlFile } from "./read-yaml.ts";
import { readUses, sharedSubjects } from "./read-uses.ts";
import { type Check, complain, createCheck } from "./validate.ts";

/** A host to be, with the defaults merged in and everything left out filled in. */
export interface HostSpec {
  readonly name: string;
  /** With its domain, when it has one. */
  readonly fqdn: string | undefined;
  readonly image: ImageReference;
  /** libvirt's URI; `undefined`: the one that is used when nobody says any. */
  readonly hypervisor: string | undefined;
  /** libvirt's, where its disks are. */
  readonly pool: string;
  readonly cpus: number;
  readonly memoryMiB: number;
  /** Without a size: as large as the image. */
  readonly disk: { readonly sizeGiB: number | undefined; readonly mode: "overlay" | "copy" };
  readonly extraDisks: readonly { readonly name: string; readonly sizeGiB: number }[];
  readonly networks: readonly HostNetwork[];
  readonly users: readonly HostUser[];
  readonly timezone: string | undefined;
  readonly autostart: boolean;
  /** PCI addresses, as `lspci -D` names them. */
  readonly gpus: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** What a host starts from: a spec's image, the newest when no version is named, or a file. */
export type ImageReference =
  | { readonly kind: "spec"; readonly name: string; readonly version: string | undefined }
  | { readonly kind: "file"; readonly path: string };

/** A network card of a host. */
export interface HostNetwork extends NetworkCard {
  readonly joins: { readonly kind: "network" | "bridge"; readonly name: string };
}

/** Who may log in to a host. */
export interface HostUser {
  readonly name: string;
  readonly comment: string | undefined;
  readonly keys: readonly KeySource[];
  readonly groups: readonly string[];
  readonly sudo: boolean;
  readonly shell: string;
}

/** Where public keys come from: the SSH agent of who deploys, the host's own file, or another; `~/` is a home. */
export type KeySource =
  | { readonly kind: "agent" }
  | { readonly kind: "line"; readonly line: string }
  | { readonly kind: "file"; readonly path: string };

/** A host that is right by itself; whether it gets in another's way is for `hostClashes`. */
export interface LoadedHost {
  readonly spec: HostSpec;
  readonly recipe: Recipe;
  /** The host's file over defaults.yaml. */
  readonly yaml: YamlFile;
  readonly files: readonly HostFile[];
  /** Folders in which `source` paths are looked for. */
  readonly sourceDirs: readonly string[];
}

/** A file that a host is made of. */
export interface HostFile {
  readonly path: string;
  /** Of its bytes, lower-case hex. */
  readonly sha256: string;
  readonly yaml: YamlFile;
}

const mend = "Correct the host's file; docs/hosts.md has all that it can say";

/** Reads the host at `path` with the defaults beside it, or says everything that is wrong with both, at once. */
export async function loadHostSpec(path: string, options: LoadOptions): Promise<LoadedHost> {
  const folder = dirname(path);
  const show = options.show ?? ((file) => file);
  const [defaults, own] = await Promise.all([
    readIfThere(join(folder, `${defaultsName}.yaml`), show),
    readHostFile(path, show),
  ]);
  const files = [...(defaults ? [defaults] : []), own];
  const check = createCheck(options.formats?.([folder]));
  const wrong = files.flatMap((file) => headComplaints(file, check));
  const yaml = defaults ? layerYaml(defaults.yaml, own.yaml) : own.yaml;
  const uses = readUses(yaml, options.tasks, check);
  const name = hostName(path);
  const text = (yaml.value ?? {}) as HostText;
  const complaints = [
    ...nameComplaints(name, own.yaml).map(withMend),
    ...wrong.map(withMend),
    // What is said of a value that has another form than it must would be nonsense.
    ...(wrong.length > 0 ? [] : complain(yaml, hostProblems(text)).map(withMend)),
    ...uses.complaints,
    ...sharedSubjects(uses.recipe),
  ];
  if (complaints.length > 0) throw specInvalid(complaints);
  return { spec: fillHost(name, text, folder), recipe: uses.recipe, yaml, files, sourceDirs: [folder] };
}

function headComplaints({ yaml }: HostFile, check: Check): readonly Complaint[] {
  return yaml.complaints.length > 0
    ? yaml.complaints
    : complain(yaml, check(yaml.value ?? {}, hostSchema, []));
}

function withMend(complaint: Complaint): Complaint {
  return { ...complaint, mend };
}

async function readHostFile(path: string, show: (path: string) => string): Promise<HostFile> {
  return { path, ...(await readYamlFile(path, show(path))) };
}

async function readIfThere(path: string, show: (path: string) => string): Promise<HostFile | undefined> {
  try {
    return await readHostFile(path, show);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
