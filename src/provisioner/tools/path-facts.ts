import { lstatSync, readdirSync, readlinkSync, type Stats } from "node:fs";

// Synchronous: a few hundred short looks at a local disk cost less so than their promises would.

/** What lies at a path, without following a link there; nothing when there is nothing. */
export function statOf(path: string): Stats | undefined {
  return unlessAbsent(() => lstatSync(path));
}

/** Names in a directory; nothing when there is none. */
export function namesIn(directory: string): readonly string[] | undefined {
  return unlessAbsent(() => readdirSync(directory));
}

/** What a symbolic link says; nothing when there is none. */
export function linkText(path: string): string | undefined {
  return unlessAbsent(() => readlinkSync(path));
}

/** Nothing, too, where something of another kind is. */
function unlessAbsent<Value>(look: () => Value): Value | undefined {
  try {
    return look();
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (["ENOENT", "ENOTDIR", "EINVAL"].includes(code)) return undefined;
    throw error;
  }
}
