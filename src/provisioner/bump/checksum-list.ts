/** What a list of checksums says of a file. */
export type Listed =
  | { readonly sha256: string }
  /** Why it says nothing that could be used. */
  | { readonly reason: string };

const gnu = /^\\?([0-9a-fA-F]{64})[ \t]+\*?(\S.*)$/;
const bsd = /^SHA256 ?\((.+)\) ?= ?([0-9a-fA-F]{64})$/;

/**
 * Finds a file's SHA-256 in a list as sha256sum(1) or BSD's sha256(1) writes it, or in a file that holds one digest
 * and nothing else. Names must be equal, not alike: "*name" and "./name" are forms of "name"; a path before it is
 * taken only where the list has no other line.
 */
export function findInList(text: string, name: string): Listed {
  // Some are written on Windows: a byte order mark, and carriage returns.
  const lines = text
    .replace(/^\uFEFF/, "")
    .split(/\r\n|\n|\r/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const [first = ""] = lines;
  if (lines.length === 1 && /^[0-9a-fA-F]{64}$/.test(first)) return { sha256: first.toLowerCase() };

  const rows = lines.map(readLine).filter((row) => row !== undefined);
  const named = rows.filter((row) => row.name === name);
  const [only] = rows;
  if (rows.length === 1 && only?.name.endsWith(`/${name}`)) named.push(only);
  const digests = [...new Set(named.map(({ sha256 }) => sha256))];
  const [sha256] = digests;
  if (sha256 === undefined) return { reason: `it must have a line for "${name}", has none` };
  if (digests.length > 1)
    return { reason: `it must have one digest for "${name}", has ${digests.join(" and ")}` };
  return { sha256 };
}

function readLine(line: string): { readonly name: string; readonly sha256: string } | undefined {
  const [, gnuHex, gnuName] = gnu.exec(line) ?? [];
  const [, bsdName, bsdHex] = bsd.exec(line) ?? [];
  const [hex, name] = [gnuHex ?? bsdHex, gnuName ?? bsdName];
  return hex === undefined || name === undefined
    ? undefined
    : { sha256: hex.toLowerCase(), name: name.replace(/^\.\//, "") };
}
