import {
  digestOf,
  type Facts,
  type FileStat,
  guardPlace,
  Refusal,
  type SecretSource,
  type UnitState,
} from "../../provisioner/core/task.ts";
import { lookAtSecretFile, type SecretFile } from "../scripts/secret-file.ts";
import { ownName, type Places, placesOf, sharedKeyFile } from "./files.ts";
import { keyPattern, type Params } from "./schema.ts";
import { lookCommand } from "./scripts.ts";

/** An interface as it was found. */
export interface State {
  readonly unit: UnitState;
  readonly conf: string | undefined;
  readonly dropIn: string | undefined;
  readonly stamp: string | undefined;
  /** Without a text where the machine makes its key. */
  readonly key: SecretFile;
  /** Those shared with peers, in the order of the peers. */
  readonly sharedKeys: readonly SecretFile[];
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
  const keyFile = (path: string, source: typeof privateKey) =>
    lookAtSecretFile(facts, path, source && isWanted ? readKey(facts, path, source) : undefined);
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
    facts.stat(guardPlace(ownName(name))),
    Promise.all(shared),
  ]);
  return { unit, conf, dropIn, stamp, key, sharedKeys, live: readLook(look.stdout), armed };
}

/** Digests of the keys that the spec brings. */
export function broughtKeys({ key, sharedKeys }: State): readonly string[] {
  return [key, ...sharedKeys].map(({ text }) => (text === undefined ? "" : digestOf(text)));
}

/** The key, with its newline. */
async function readKey(facts: Facts, path: string, source: SecretSource): Promise<string> {
  const text = (await facts.secret(source)).trim();
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
