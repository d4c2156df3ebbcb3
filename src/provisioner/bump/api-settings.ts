import { ProvisionError } from "../core/errors.ts";
import type { Token } from "./api-fetch.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Root of the API: what is given, PROVISION_API_URL, GITHUB_API_URL, or GitHub's own. */
export function apiBase(given: string | undefined, env: Environment): string {
  const named = [
    ["--api", given],
    ["PROVISION_API_URL", env["PROVISION_API_URL"]],
    ["GITHUB_API_URL", env["GITHUB_API_URL"]],
  ] as const;
  const [name, value] = named.find(([, text]) => text) ?? ["", "https://api.github.com"];
  const url = URL.canParse(value ?? "") ? new URL(value ?? "") : undefined;
  if (url && /^https?:$/.test(url.protocol) && !url.username && !url.search && !url.hash)
    return url.href.replace(/\/+$/, "");
  const got = value?.replace(/\/\/[^/@]*@/, "//") ?? "";
  throw new ProvisionError("SETTING_INVALID", { name, wanted: "the URL of an API, https://host/path", got });
}

/** The token, from GITHUB_TOKEN or GH_TOKEN. */
export function apiToken(env: Environment): Token | undefined {
  for (const variable of ["GITHUB_TOKEN", "GH_TOKEN"]) {
    const value = env[variable]?.trim();
    if (!value) continue;
    // What no header can carry would be shown whole in the complaint about it.
    if (/^[\x21-\x7e]+$/.test(value)) return { variable, value };
    const got = "something with blanks or control characters in it";
    throw new ProvisionError("SETTING_INVALID", { name: variable, wanted: "a token", got });
  }
  return undefined;
}
