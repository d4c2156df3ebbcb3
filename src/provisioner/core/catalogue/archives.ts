import { entry } from "./entry.ts";

/** What goes wrong where archives are unpacked. */
export const archives = {
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
} as const;

/** A file of another kind is a wrong pin; a damaged one may be; one that breaks the rules is its makers' affair. */
function archiveMend(fault: string): string {
  if (fault === "kind")
    return "Correct `format`, `artifact` or `url` of the tool in versions.yaml, so that they say what the file is";
  if (fault === "damage")
    return "Compare its digest with the pin: a file that differs is fetched again once it is removed; one that agrees was published like this, so pin another release";
  return "Do not unpack it by other means: report it to the project that publishes it, and pin another release";
}
