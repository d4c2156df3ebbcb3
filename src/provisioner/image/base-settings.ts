import { join } from "node:path";

import { ProvisionError } from "../core/errors.ts";
import type { Mirrors } from "../pins/manifest.ts";

/** What the environment decides about bases and downloads. */
export interface BaseSettings {
  readonly cacheDir: string;
  readonly aptBucketDays: number;
  readonly mirrors: Mirrors;
}

/**
 * Reads PROVISION_CACHE, PROVISION_APT_BUCKET_DAYS and PROVISION_MIRRORS ("original=replacement", blanks
 * between). Root's default is not in its home: the hypervisor's user cannot enter that.
 */
export function baseSettings(from: {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly isRoot: boolean;
}): BaseSettings {
  const { env, home, isRoot } = from;
  // A relative path in it is to be ignored, says the XDG Base Directory Specification.
  const xdg = env["XDG_CACHE_HOME"]?.startsWith("/") ? env["XDG_CACHE_HOME"] : join(home, ".cache");
  const fallback = isRoot ? "/var/cache/provision" : join(xdg, "provision");
  return {
    cacheDir: absolute("PROVISION_CACHE", env["PROVISION_CACHE"] ?? fallback),
    aptBucketDays: days("PROVISION_APT_BUCKET_DAYS", env["PROVISION_APT_BUCKET_DAYS"] ?? "7"),
    mirrors: (env["PROVISION_MIRRORS"] ?? "").split(/\s+/).filter(Boolean).map(mirror),
  };
}

function absolute(name: string, got: string): string {
  if (got.startsWith("/")) return got;
  throw new ProvisionError("SETTING_INVALID", { name, wanted: "an absolute path", got });
}

function days(name: string, got: string): number {
  const count = Number(got);
  if (Number.isInteger(count) && count >= 1 && count <= 365) return count;
  throw new ProvisionError("SETTING_INVALID", { name, wanted: "a whole number of days, 1 to 365", got });
}

function mirror(text: string): Mirrors[number] {
  // The split is at the replacement's scheme: a query in the original may hold "=" too.
  const [, of, use] = /^(https?:\/\/.+?)=(https?:\/\/.+)$/.exec(text) ?? [];
  if (of !== undefined && use !== undefined) return { of, use: [use] };
  throw new ProvisionError("SETTING_INVALID", {
    name: "PROVISION_MIRRORS",
    wanted: "pairs like https://original/=https://replacement/",
    got: text,
  });
}
