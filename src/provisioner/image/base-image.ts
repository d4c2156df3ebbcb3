import { ProvisionError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import type { RenderTemplate } from "../core/templates.ts";
import type { DigestKind } from "../local/kept-file.ts";
import type { Fetch } from "../pins/http.ts";
import type { BootstrapEntry, Manifest, Mirrors } from "../pins/manifest.ts";
import { baseFiles } from "./base-files.ts";
import { bootstrapBase } from "./bootstrap-base.ts";
import { inputsOf, keyOf } from "./bootstrap-inputs.ts";
import { cloudBase } from "./cloud-base.ts";

/** A disk image that a build can start from. */
export interface Base {
  readonly name: string;
  readonly kind: "bootstrap" | "cloud-image";
  /** Absolute; read-only, world-readable, qcow2 without a backing file. */
  readonly path: string;
  /** Of its bytes, lower-case hex. */
  readonly digest: string;
  readonly digestKind: DigestKind;
  readonly virtualBytes: number;
  /** Debian's word: amd64. */
  readonly architecture: string;
  /** As package URLs have it: debian-13. */
  readonly distribution: string;
  /** Digest of all that it was made from: equal keys, equal bases. */
  readonly key: string;
  /** What the key is the digest of: JSON, for the image's manifest and to explain a rebuild. */
  readonly inputs: object;
  /** `provision`: root and state as `stateLayout` says. `vendor`: one partition, as the vendor has it. */
  readonly layout: "provision" | "vendor";
  /** True when nothing had to be made or fetched. */
  readonly cached: boolean;
}

/** What preparing a base needs. */
export interface BaseOptions {
  readonly manifest: Manifest;
  /** Must be readable by the hypervisor's user along the whole path. */
  readonly cacheDir: string;
  readonly templates: RenderTemplate;
  readonly run: Run;
  /** How many days a bootstrapped base counts as fresh; 7 when left out. */
  readonly aptBucketDays?: number;
  /** Asked before the manifest's own mirrors. */
  readonly mirrors?: Mirrors;
  /** The built-in one when left out. */
  readonly fetch?: Fetch;
  readonly today?: Date;
}

const DAY_SECONDS = 24 * 3600;

/** Gives the base that versions.yaml has under this name, from the cache where it is there. */
export async function prepareBase(name: string, options: BaseOptions): Promise<Base> {
  const { manifest, cacheDir, templates, run } = options;
  const entry = findBase(name, manifest);
  const { kind, architecture, distribution } = entry;
  const common = { name, architecture, distribution };
  if (kind === "cloud-image") {
    const mirrors = [...(options.mirrors ?? []), ...(manifest.mirrors ?? [])];
    const cache = { cacheDir, mirrors, fetch: options.fetch, run };
    const { path, digest, cached, virtualBytes } = await cloudBase(name, entry, cache);
    const bytes = { path, virtualBytes, ...parts(digest) };
    return { ...common, ...bytes, kind, key: bytes.digest, inputs: { entry }, layout: "vendor", cached };
  }
  const epoch = bucketStart(options.today ?? new Date(), options.aptBucketDays ?? 7);
  const base = await bootstrapBase({ name, entry, cacheDir, templates, epoch, run });
  const { path, digest, key, facts: inputs, cached, virtualBytes } = base;
  const bytes = { path, virtualBytes, ...parts(digest) };
  return { ...common, ...bytes, kind, key, inputs, layout: "provision", cached };
}

/** The key that `prepareBase` gives, without making or fetching anything. */
export function baseKey(name: string, options: Omit<BaseOptions, "run" | "cacheDir">): string {
  const entry = findBase(name, options.manifest);
  if (entry.kind === "cloud-image") return entry.sha512 ? `sha512:${entry.sha512}` : `sha256:${entry.sha256}`;
  const epoch = bucketStart(options.today ?? new Date(), options.aptBucketDays ?? 7);
  return keyOf(inputsOf({ entry, files: baseFiles(entry, options.templates), epoch }));
}

/** The entry of versions.yaml, with the packages of the driver it names. */
export function findBase(name: string, manifest: Manifest): Manifest["bases"][string] {
  const entry = manifest.bases[name];
  if (entry) return entry.kind === "bootstrap" ? withDriver(entry, manifest) : entry;
  throw new ProvisionError("BASE_UNKNOWN", { name, known: Object.keys(manifest.bases).toSorted() });
}

/** A driver brings the kernel that it is pinned with: two kernels would mean one without the driver. */
function withDriver(entry: BootstrapEntry, { drivers = {} }: Manifest): BootstrapEntry {
  const pin = entry.driver === undefined ? undefined : drivers[entry.driver]?.[entry.distribution];
  if (!pin) return entry;
  const others = entry.packages.filter((name) => !name.startsWith("linux-image-"));
  return { ...entry, packages: [...others, ...pin.packages] };
}

function parts(digest: string): { readonly digest: string; readonly digestKind: DigestKind } {
  const [kind, hex = ""] = digest.split(":");
  return { digest: hex, digestKind: kind === "sha512" ? "sha512" : "sha256" };
}

/** The moment, in seconds, at which the current stretch of `days` began. */
export function bucketStart(today: Date, days: number): number {
  const length = days * DAY_SECONDS;
  return Math.floor(today.getTime() / 1000 / length) * length;
}
