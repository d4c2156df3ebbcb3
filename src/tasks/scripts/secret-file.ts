import {
  type Action,
  attributeDifferences,
  type Attributes,
  type Change,
  digestOf,
  type Facts,
  type FileStat,
  write,
} from "../../provisioner/core/task.ts";

/** A file that holds a secret and is never read back: what it is to hold, and what can be told of it. */
export interface SecretFile {
  readonly path: string;
  /** `undefined` where the spec brings none. */
  readonly text: string | undefined;
  readonly found: FileStat | undefined;
  readonly digest: string | undefined;
}

/** Looks at it, while the text that is wanted is on its way. */
export async function lookAtSecretFile(
  facts: Facts,
  path: string,
  wanted: Promise<string | undefined> | undefined,
): Promise<SecretFile> {
  const [text, found, digest] = await Promise.all([wanted, facts.stat(path), facts.digest(path)]);
  return { path, text, found, digest };
}

/** How it is put there. */
export interface Placing {
  readonly attributes: Required<Attributes>;
  readonly directory: Action;
  /** What a change says of it, for it says no word of what is in it. */
  readonly from?: string;
  readonly to?: string;
}

/** A secret that the spec brings; where it brings none, who may read the one that is there. */
export function planSecretFile(
  { path, text, found, digest }: SecretFile,
  { attributes, directory, from = "other content", to = "the secret" }: Placing,
): readonly Change[] {
  if (text === undefined || digestOf(text) === digest)
    return found ? attributeDifferences(path, attributes, found) : [];
  const was = digest === undefined ? undefined : from;
  return [{ what: path, from: was, to, actions: [directory, write(path, text, attributes)] }];
}
