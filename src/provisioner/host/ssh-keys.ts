import { readFile } from "node:fs/promises";

import ssh2 from "ssh2";
import type { AgentAuthMethod, ParsedKey, PublicKeyAuthMethod } from "ssh2";

import { ProvisionError } from "../core/errors.ts";
import { agentKeys, agentMethod } from "./ssh-agent.ts";
import { targetName, type SshTarget } from "./ssh-target.ts";

/** One way to prove who we are. */
export interface Identity {
  /** For messages: the file, or the agent's comment. */
  readonly label: string;
  readonly method: PublicKeyAuthMethod | AgentAuthMethod;
  /** Its public half in base64, as the second word of a line of authorized_keys. */
  readonly publicKey: string;
}

/** What we can log in with, in the order it is offered; each is offered once. */
export interface Identities {
  readonly usable: readonly Identity[];
  /** Files whose key is locked with a passphrase, and which the agent does not hold. */
  readonly locked: readonly string[];
}

/** Collects the keys of a target: the files it names, by the agent where it holds them, then the agent's others. */
export async function identitiesOf(target: SshTarget): Promise<Identities> {
  const username = target.user;
  if (target.privateKey !== undefined) {
    const key = parsed(target.privateKey);
    if (key instanceof Error || !key.isPrivateKey()) throw unreadable(target, "given text", key);
    const method = { type: "publickey", username, key } as const;
    return { usable: [{ label: "the given key", method, publicKey: base64Of(key) }], locked: [] };
  }
  const [files, held] = await Promise.all([
    Promise.all(target.identityFiles.map((file) => readKeyFile(target, file))),
    agentKeys(target.agent),
  ]);
  const usable: Identity[] = [];
  const locked: string[] = [];
  const offered = new Set<ParsedKey>();
  for (const file of files.filter((found) => found !== undefined)) {
    const twin = held.find((key) => file.publicSsh?.equals(key.getPublicSSH()));
    if (twin !== undefined && target.agent !== undefined) {
      offered.add(twin);
      usable.push(heldByAgent(file.path, { username, socket: target.agent, key: twin }));
    } else if (file.key !== undefined) {
      const method = { type: "publickey", username, key: file.key } as const;
      usable.push({ label: file.path, method, publicKey: base64Of(file.key) });
    } else if (file.locked) locked.push(file.path);
  }
  if (!target.identitiesOnly && target.agent !== undefined)
    for (const key of held.filter((candidate) => !offered.has(candidate)))
      usable.push(heldByAgent(key.comment, { username, socket: target.agent, key }));
  return { usable, locked };
}

function heldByAgent(
  label: string,
  { username, socket, key }: { readonly username: string; readonly socket: string; readonly key: ParsedKey },
): Identity {
  const method = agentMethod(username, socket, key);
  return { label: `${label} (agent)`, method, publicKey: base64Of(key) };
}

function base64Of(key: ParsedKey): string {
  return key.getPublicSSH().toString("base64");
}

interface KeyFile {
  readonly path: string;
  readonly key?: ParsedKey;
  readonly publicSsh?: Buffer | undefined;
  readonly locked: boolean;
}

/** A file that is not there is passed over, as by ssh; one that is there and no key is an error. */
async function readKeyFile(target: SshTarget, path: string): Promise<KeyFile | undefined> {
  let text: string;
  try {
    text = await readFile(path, "latin1");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw unreadable(target, path, error as Error);
  }
  const key = parsed(text);
  if (key instanceof Error) {
    if (!/encrypted|passphrase/i.test(key.message)) throw unreadable(target, path, key);
    return { path, publicSsh: publicInside(text) ?? (await publicBeside(path)), locked: true };
  }
  const publicSsh = key.getPublicSSH();
  // A .pub file names a key that only the agent holds.
  return key.isPrivateKey() ? { path, key, publicSsh, locked: false } : { path, publicSsh, locked: false };
}

/** OpenSSH's format keeps the public half in the clear: magic, cipher, kdf, kdf options, count, public key. */
function publicInside(text: string): Buffer | undefined {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]+?)-----END/.exec(text)?.[1];
  const bytes = Buffer.from(body ?? "", "base64");
  let at = "openssh-key-v1\0".length;
  const next = () => {
    const length = bytes.readUInt32BE(at);
    at += 4 + length;
    return bytes.subarray(at - length, at);
  };
  try {
    for (let skipped = 0; skipped < 3; skipped++) next();
    at += 4;
    return next();
  } catch {
    return undefined;
  }
}

async function publicBeside(path: string): Promise<Buffer | undefined> {
  const key = parsed(await readFile(`${path}.pub`, "latin1").catch(() => ""));
  return key instanceof Error ? undefined : key.getPublicSSH();
}

/** ssh2 gives a list where its types say one key. */
function parsed(text: string): ParsedKey | Error {
  const key = ssh2.utils.parseKey(text) as ParsedKey | readonly ParsedKey[] | Error;
  if (key instanceof Error || !Array.isArray(key)) return key as ParsedKey | Error;
  return (key as readonly ParsedKey[])[0] ?? new Error("it holds no key");
}

function unreadable(target: SshTarget, file: string, reason: Error | ParsedKey): ProvisionError {
  const words = reason instanceof Error ? reason.message : "it is a public key";
  return new ProvisionError("KEY_UNREADABLE", { host: targetName(target), file, reason: words });
}
