import { readFile } from "node:fs/promises";

import { ProvisionError } from "../core/errors.ts";
import type { HostUser, KeySource } from "../spec/host-spec.ts";
import { isPublicKey, keyLines } from "../spec/public-key.ts";
import { isMissing } from "../spec/read-spec-files.ts";

/** Where this machine keeps keys. */
export interface KeyPlaces {
  /** What `~` stands for in the name of a file. */
  readonly home: string;
  /** The public keys that the SSH agent holds, as lines of authorized_keys; asked once, when somebody needs it. */
  readonly agentKeys: () => Promise<readonly string[]>;
}

/** The lines of authorized_keys of each user. A user who would get none is an error: nobody could come in. */
export async function authorizedKeys(
  users: readonly HostUser[],
  { home, agentKeys }: KeyPlaces,
): Promise<ReadonlyMap<string, readonly string[]>> {
  let asked: Promise<readonly string[]> | undefined;
  const linesOf = (source: KeySource, user: string): Promise<readonly string[]> => {
    switch (source.kind) {
      case "agent":
        return (asked ??= agentKeys()).then((keys) => checkAgent(keys, user));
      case "line":
        return Promise.resolve([source.line]);
      case "file":
        return readKeys(source.path.replace(/^~(?=\/)/, home), user);
      default:
        return source satisfies never;
    }
  };
  const entries = users.map(async ({ name, keys }) => {
    const lines = await Promise.all(keys.map((source) => linesOf(source, name)));
    return [name, [...new Set(lines.flat())]] as const;
  });
  return new Map(await Promise.all(entries));
}

function checkAgent(keys: readonly string[], user: string): readonly string[] {
  if (keys.length > 0) return keys;
  throw new ProvisionError("USAGE", {
    what: `Cannot let "${user}" in by the keys of the SSH agent: it must hold one, holds none`,
    mend: "Run `ssh-add`, or put the public key or its file into the host's `keys`",
  });
}

async function readKeys(path: string, user: string): Promise<readonly string[]> {
  const lines = keyLines(await readText(path, user));
  if (lines.length > 0 && lines.every(isPublicKey)) return lines;
  throw new ProvisionError("USAGE", {
    what: `Cannot let "${user}" in by ${path}: must be a file of whole public keys, one a line, is something else`,
    mend: "Name the file that ends in .pub; `ssh-keygen -y -f KEY` prints the public half of a private key",
  });
}

async function readText(path: string, user: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new ProvisionError(
      "USAGE",
      {
        what: `Cannot let "${user}" in by ${path}: must be a file of public keys, is missing`,
        mend: "Make a key with `ssh-keygen`, or name another file in the host's `keys`",
      },
      { cause: error },
    );
  }
}
