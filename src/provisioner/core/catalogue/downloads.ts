import { entry } from "./entry.ts";

/** What goes wrong with files that are fetched against their pins. */
export const downloads = {
  DOWNLOAD_FAILED: entry<{ name: string; tried: readonly { url: string; reason: string }[] }>({
    exit: 5,
    say: ({ name, tried }) =>
      `Cannot download ${name}:\n${tried.map(({ url, reason }) => `${url}: ${reason}`).join("\n")}`,
    mend: () =>
      "Check the network; name another place in PROVISION_MIRRORS (original=replacement) or `mirrors:` of versions.yaml; or pin a newer build",
  }),
  DIGEST_DIFFERS: entry<{ name: string; url: string; wanted: string; got: string }>({
    exit: 5,
    say: ({ name, url, wanted, got }) =>
      `Cannot use ${name} from ${url}: its digest must be ${wanted}, is ${got}`,
    mend: () =>
      "Do not use the file; compare the vendor's published checksum, and correct the pin in versions.yaml only if that agrees",
  }),
  KEY_DIFFERS: entry<{ name: string; url: string; reason: string }>({
    exit: 5,
    say: ({ name, url, reason }) => `Cannot use ${name} from ${url}: ${reason}`,
    mend: () =>
      "Do not use the key; compare the fingerprint that its project publishes, and correct the one in versions.yaml only if that agrees",
  }),
  ARTIFACT_MISSING: entry<{ name: string; digest: string; places: readonly string[] }>({
    exit: 5,
    say: ({ name, digest, places }) =>
      `Cannot use ${name} offline: the file with ${digest} must be in ${places.join(" or ")}, is not`,
    mend: () =>
      "Run `provision fetch` while there is a network; or `provision fetch --out DIR` on a machine that has one, and give the folder with --from",
  }),
  FETCH_FAILED: entry<{ failed: readonly { reason: string; mend: string }[] }>({
    exit: 5,
    say: ({ failed }) =>
      `Cannot fetch ${failed.length} of the files:\n${failed.map(({ reason }) => reason).join("\n")}`,
    mend: ({ failed }) => [...new Set(failed.map(({ mend }) => mend))].join("; "),
  }),
} as const;
