import { entry } from "./entry.ts";

/** What goes wrong where pins are renewed. */
export const pins = {
  API_UNREACHABLE: entry<{ api: string; reason: string }>({
    exit: 5,
    say: ({ api, reason }) => `Cannot ask ${api}: ${reason}`,
    mend: () =>
      "Check the network, and HTTPS_PROXY where there is a proxy; name another API with --api or PROVISION_API_URL",
  }),
  API_REFUSED: entry<{ what: string; reason: string }>({
    exit: 5,
    say: ({ what, reason }) => `Cannot ask for ${what}: ${reason}`,
    mend: () =>
      "Check that the repository is named rightly in versions.yaml; where it is private, set GITHUB_TOKEN to a token that may read it",
  }),
  API_LIMITED: entry<{ api: string; until: string; token: boolean }>({
    exit: 5,
    say: ({ api, until }) => `Cannot ask ${api} any more: it takes no further requests until ${until}`,
    mend: ({ until, token }) =>
      token
        ? `Run the same command again after ${until}`
        : `Set GITHUB_TOKEN, which allows many more requests, or run the same command again after ${until}`,
  }),
  PIN_SOURCE_UNUSABLE: entry<{ tool: string; reason: string; mend: string }>({
    exit: 5,
    say: ({ tool, reason }) => `Cannot look for newer releases of ${tool}: ${reason}`,
    mend: ({ mend }) => mend,
  }),
  RELEASE_GONE: entry<{ tool: string; version: string; repo: string }>({
    exit: 5,
    say: ({ tool, version, repo }) =>
      `Cannot vouch for ${tool}: ${repo} must have its pinned release ${version}, has it no more`,
    mend: ({ tool, repo }) =>
      `Find out why ${repo} withdrew it, and pin another version of ${tool} in versions.yaml`,
  }),
  ASSET_MISSING: entry<{ tool: string; tag: string; asset: string; architecture: string; nearest: string }>({
    exit: 5,
    say: ({ tool, tag, asset, architecture, nearest }) =>
      `Cannot pin ${tool} ${tag} for ${architecture}: the release must have "${asset}", has ${nearest || "nothing like it"}`,
    mend: ({ tool }) =>
      `Correct artifact of ${tool} in versions.yaml when the file was renamed; set bump.hold while a release lacks it`,
  }),
  ASSET_REPUBLISHED: entry<{
    tool: string;
    version: string;
    asset: string;
    pinned: string;
    found: string;
    uploaded: string;
  }>({
    exit: 5,
    say: ({ tool, version, asset, pinned, found, uploaded }) =>
      `Cannot vouch for ${tool} ${version}: "${asset}" must still be sha256 ${pinned}, is ${found}, uploaded ${uploaded}: upstream has published it again`,
    mend: ({ tool }) =>
      `Ask upstream why; only then take it with \`provision bump ${tool} --accept-republished\``,
  }),
  DIGESTS_DISAGREE: entry<{ tool: string; asset: string; release: string; list: string; listed: string }>({
    exit: 5,
    say: ({ tool, asset, release, list, listed }) =>
      `Cannot pin ${tool}: the digest of "${asset}" must be one, is ${release} by the release and ${listed} by ${list}`,
    mend: ({ tool }) => `Use neither: tell upstream, and set bump.hold of ${tool} in versions.yaml meanwhile`,
  }),
  CHECKSUM_MISSING: entry<{ tool: string; asset: string; list: string; reason: string }>({
    exit: 5,
    say: ({ tool, asset, list, reason }) =>
      `Cannot pin ${tool}: "${asset}" must have a digest in ${list}: ${reason}`,
    mend: ({ tool }) => `Correct bump.checksums of ${tool} in versions.yaml, or remove it`,
  }),
  PIN_EDIT_REFUSED: entry<{ file: string; place: string; reason: string }>({
    exit: 5,
    say: ({ file, place, reason }) => `Cannot edit ${place} of ${file}: ${reason}`,
    mend: ({ file, place }) => `Write ${place} out as plain or quoted text in ${file}, or edit it by hand`,
  }),
  PINS_CHANGED: entry<{ file: string }>({
    exit: 5,
    say: ({ file }) => `Cannot write ${file}: it must be as it was read, is changed by somebody else`,
    mend: () => "Run the same command again: it reads the file anew",
  }),
  BUMP_FAILED: entry<{ failures: string; count: number }>({
    exit: 5,
    say: ({ failures, count }) => `Cannot renew ${count} tools:\n${failures}`,
    mend: () => "Mend each as it says, or run `provision bump TOOL` for one alone; the others are done",
  }),
  PULL_REQUEST_NOT_READY: entry<{ reason: string; mend: string }>({
    exit: 5,
    say: ({ reason }) => `Cannot open a pull request: ${reason}`,
    mend: ({ mend }) => mend,
  }),
} as const;
