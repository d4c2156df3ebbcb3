import {
  digestOf,
  type Facts,
  type FileStat,
  guardPlace,
  Refusal,
  type UnitState,
} from "../../provisioner/core/task.ts";
import { guardName, type Places, placesOf, sharedKeyFile } from "./files.ts";
import { keyPattern, type Params } from "./schema.ts";
import { lookCommand } from "./scripts.ts";

/** A key that the spec brings, and the file it belongs into. */
export interface KeyFile {
  readonly path: string;
  /** The key with its newline; `undefined` where the machine makes one. */
  readonly text: string | undefined;
  readonly found: FileStat | undefined;
  readonly digest: string | undefined;
}

/** An interface as it was found. */
export interface State {
  readonly unit: UnitState;
  readonly conf: string | undefined;
  readonly dropIn: string | undefined;
  readonly stamp: string | undefined;
  readonly key: KeyFile;
  /** Those shared with peers, in the order of the peers. */
  readonly sharedKeys: readonly KeyFile[];
  readonly live: Live;
  /** The guard of a change that is not confirmed yet. */
  readonly armed: FileStat | undefined;
}

/** What programs say of it. */
interface Live {
  /** Public key of what is in the key file. */
  readonly publicKey: string | undefined;
  /** Public key of what runs. */
  readonly running: string | undefined;
  readonly peers: readonly string[];
  /** Files of shared keys, wanted or not. */
  readonly sharedFiles: readonly string[];
}

/** All of it in one flight; of keys only digests. */
export async function readState(facts: Facts, params: Params): Promise<State> {
  const { interface: name, privateKey, peers = [], state } = params;
  const places: Places = placesOf(name);
  const isWanted = state !== "absent";
  const keyFile = async (path: string, source: typeof privateKey): Promise<KeyFile> => {
    const [text, found, digest] = await Promise.all([
      source && isWanted ? facts.secret(source) : undefined,
      facts.stat(path),
      facts.digest(path),
    ]);
    return { path, text: text === undefined ? undefined : keyText(path, text), found, digest };
  };
  const shared = peers.flatMap(({ publicKey, presharedKey }) =>
    presharedKey ? [keyFile(sharedKeyFile(name, publicKey), presharedKey)] : [],
  );
  const [unit, conf, dropIn, stamp, key, look, armed, sharedKeys] = await Promise.all([
    facts.unit(places.unit),
    facts.file(places.conf),
    facts.file(places.dropIn),
    facts.file(places.stamp),
    keyFile(places.key, privateKey),
    facts.query(lookCommand(name)),
    facts.stat(guardPlace(guardName(name))),
    Promise.all(shared),
  ]);
  return { unit, conf, dropIn, stamp, key, sharedKeys, live: readLook(look.stdout), armed };
}

/** Digests of the keys that the spec brings. */
export function broughtKeys({ key, sharedKeys }: State): readonly string[] {
  return [key, ...sharedKeys].map(({ text }) => (text === undefined ? "" : digestOf(text)));
}

function keyText(path: string, secret: string): string {
  const text = secret.trim();
  if (new RegExp(keyPattern).test(text)) return `${text}\n`;
  throw new Refusal(`the secret for "${path}" must be a key as \`wg genkey\` prints it, is something else`);
}

function readLook(text: string): Live {
  const lines = text.split("\n").map((line) => line.split(" "));
  const all = (word: string) => lines.flatMap(([first, rest = ""]) => (first === word ? [rest] : []));
  const [publicKey] = all("key");
  const [running] = all("running");
  return { publicKey, running, peers: all("peer"), sharedFiles: all("shared") };
}
