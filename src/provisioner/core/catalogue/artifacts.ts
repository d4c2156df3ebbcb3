import { entry } from "./entry.ts";

/** What goes wrong with what is pinned, downloaded, unpacked and installed. */
export const artifacts = {
  // — downloads —
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
  // — pins —
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
  // — archives —
  ARCHIVE_REFUSED: entry<{ name: string; fault: string; entry: string | undefined; reason: string }>({
    exit: 5,
    say: ({ name, entry: member, reason }) =>
      `Cannot unpack ${name}: ${member === undefined ? "it" : `"${member}"`} ${reason}`,
    mend: ({ fault }) => archiveMend(fault),
  }),
  ARCHIVE_TOOL_MISSING: entry<{ program: string }>({
    exit: 5,
    say: ({ program }) =>
      `Cannot decompress: the program "${program}" must be installed on this machine, is missing`,
    mend: ({ program }) =>
      program === "zstd"
        ? "Run `apt-get install zstd` as root, or run provision with Node 22.15 or newer, which needs no program for it"
        : "Run `apt-get install xz-utils` as root",
  }),
  UNPACK_FAILED: entry<{ name: string; code: string; reason: string }>({
    exit: 5,
    say: ({ name, reason }) => `Cannot unpack ${name}: ${reason}`,
    mend: ({ code }) =>
      code === "ENOSPC" || code === "EDQUOT"
        ? "Free space on the file system that is unpacked to: `df -h` and `df -i` show which one is full"
        : "Check that the named path is there, that its file system is sound, and that this user may write to it",
  }),
  // — tools —
  TOOL_CONTENT_MISSING: entry<{ tool: string; artifact: string; path: string; found: string | undefined }>({
    exit: 5,
    say: ({ tool, artifact, path }) => `Cannot install ${tool}: ${artifact} must hold "${path}", does not`,
    mend: ({ tool, found }) =>
      `Correct the paths of ${tool} in versions.yaml${found === undefined ? ": `tar -tf` shows what the archive holds" : `: the archive holds "${found}"`}`,
  }),
  TOOL_PROGRAM_WRONG: entry<{ tool: string; path: string; architecture: string; got: string }>({
    exit: 5,
    say: ({ tool, path, architecture, got }) =>
      `Cannot install ${tool}: "${path}" must be an ELF program for ${architecture} or a script, is ${got}`,
    mend: ({ tool }) => `Correct \`artifact\`, \`arch\` or \`binary\` of ${tool} in versions.yaml`,
  }),
  TOOL_LINK_BROKEN: entry<{ tool: string; path: string }>({
    exit: 5,
    say: ({ tool, path }) =>
      `Cannot install ${tool}: the link "${path}" must lead to a file of the tool, does not`,
    mend: ({ tool }) =>
      `Correct \`root\` of ${tool} in versions.yaml, so that the link's target comes with it`,
  }),
  TOOL_PLACE_RESERVED: entry<{ tool: string; path: string }>({
    exit: 5,
    say: ({ tool, path }) => `Cannot install ${tool}: "${path}" must be left to provision, is in its archive`,
    mend: ({ tool }) => `Correct \`extract_to\` or \`root\` of ${tool} in versions.yaml`,
  }),
  TOOL_IN_THE_WAY: entry<{ tool: string; paths: readonly string[] }>({
    exit: 5,
    say: ({ tool, paths }) =>
      `Cannot install ${tool}: the place of its links must be free, ${paths.map((path) => `"${path}"`).join(", ")} is somebody else's`,
    mend: ({ tool }) =>
      `Move it away, or run \`provision install --force ${tool}\`, which puts it into share/provision/replaced`,
  }),
  TOOLS_CLASH: entry<{ path: string; one: string; other: string }>({
    exit: 2,
    say: ({ path, one, other }) => `Cannot install ${one} beside ${other}: both bring "${path}"`,
    mend: ({ one, other }) =>
      `Install one of them (\`provision install --uninstall ${other}\`), or give a command of ${one} another name in versions.yaml`,
  }),
  TOOL_NO_PREVIOUS: entry<{ tool: string; version: string }>({
    exit: 5,
    say: ({ tool, version }) =>
      `Cannot roll back ${tool} ${version}: the version before must be kept, there is none`,
    mend: ({ tool }) =>
      `Pin the version that is wanted in versions.yaml and run \`provision install ${tool}\``,
  }),
  TOOLS_FAILED: entry<{ failed: readonly { name: string; reason: string; mend: string }[] }>({
    exit: 5,
    say: ({ failed }) =>
      `Cannot install ${failed.length} of the tools:\n${failed.map(({ name, reason }) => `${name}: ${reason}`).join("\n")}`,
    mend: ({ failed }) => [...new Set(failed.map(({ mend }) => mend))].join("; "),
  }),
  PREFIX_UNWRITABLE: entry<{ path: string; reason: string }>({
    exit: 5,
    say: ({ path, reason }) => `Cannot install into "${path}": it must be writable, is not: ${reason}`,
    mend: () => "Run as root for --system, name a place of yours with --prefix, or free space there",
  }),
  ARCHITECTURE_UNKNOWN: entry<{ got: string; known: readonly string[] }>({
    exit: 5,
    say: ({ got, known }) =>
      `Cannot choose tools for this machine: it must be ${known.join(" or ")}, is ${got}`,
    mend: () => "Run provision on another machine and let it install on this one over SSH",
  }),
} as const;

/** A file of another kind is a wrong pin; a damaged one may be; one that breaks the rules is its makers' affair. */
function archiveMend(fault: string): string {
  if (fault === "kind")
    return "Correct `format`, `artifact` or `url` of the tool in versions.yaml, so that they say what the file is";
  if (fault === "damage")
    return "Compare its digest with the pin: a file that differs is fetched again once it is removed; one that agrees was published like this, so pin another release";
  return "Do not unpack it by other means: report it to the project that publishes it, and pin another release";
}
