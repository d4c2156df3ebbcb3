import { readFile } from "node:fs/promises";

import { ProvisionError } from "../core/errors.ts";
import {
  findKnown,
  fingerprint,
  keyType,
  parsePublicKey,
  type Known,
  type PublicKey,
} from "./known-hosts.ts";
import { targetName, type SshTarget } from "./ssh-target.ts";

/** Which keys a machine may show, decided before we speak to it. */
export interface HostKeyPolicy {
  /** Signature algorithms to ask for: those of the keys we know first, so that the server shows one of these. */
  readonly algorithms: readonly string[];
  /** Undefined when the key is trusted. */
  judge(blob: Buffer): ProvisionError | undefined;
}

/** The policy of a target: its pinned key, or else what the known_hosts files say. Nothing is taken on trust. */
export async function hostKeyPolicy(target: SshTarget): Promise<HostKeyPolicy> {
  if (target.hostKey !== undefined) return pinned(target, target.hostKey);
  const files = await Promise.all(
    target.knownHosts.map(async (file) => ({ file, ...findKnown(await textOf(file), target.knownAs) })),
  );
  const keys = files.flatMap(({ file, keys: found }) => found.map((key) => ({ ...key, file })));
  return {
    algorithms: algorithmsOf(keys),
    judge: (blob) => judge(target, files, blob),
  };
}

function pinned(target: SshTarget, text: string): HostKeyPolicy {
  const key = parsePublicKey(text);
  if (key === undefined)
    throw new ProvisionError("USAGE", {
      what: `Cannot use the host key of ${targetName(target)}: must be "type base64", is "${text}"`,
      mend: "Give one line of the machine's /etc/ssh/ssh_host_*_key.pub",
    });
  return {
    algorithms: algorithmsOf([key]),
    judge: (blob) =>
      key.blob.equals(blob) ? undefined : differs(target, [{ ...key, file: undefined }], blob),
  };
}

type KnownFile = Known & { readonly file: string };

function judge(target: SshTarget, files: readonly KnownFile[], blob: Buffer): ProvisionError | undefined {
  const host = targetName(target);
  const revoking = files.find(({ revoked }) => revoked.some((key) => key.blob.equals(blob)));
  if (revoking)
    return new ProvisionError("HOST_KEY_REVOKED", { host, presented: words(blob), file: revoking.file });
  const keys = files.flatMap(({ file, keys: found }) => found.map((key) => ({ ...key, file })));
  if (keys.some((key) => key.blob.equals(blob))) return undefined;
  if (keys.length > 0) return differs(target, keys, blob);
  const authority = files.find((file) => file.authority);
  if (authority) return new ProvisionError("HOST_KEY_AUTHORITY", { host, file: authority.file });
  return new ProvisionError("HOST_KEY_UNKNOWN", {
    host,
    presented: words(blob),
    line: `${target.knownAs} ${keyType(blob)} ${blob.toString("base64")}`,
    file: target.knownHosts[0] ?? "~/.ssh/known_hosts",
  });
}

function differs(
  target: SshTarget,
  keys: readonly (PublicKey & { readonly file: string | undefined })[],
  blob: Buffer,
): ProvisionError {
  // Name the known key of the type that was shown; a key of another type tells the reader less.
  const closest = keys.find(({ type }) => type === keyType(blob)) ?? keys[0];
  return new ProvisionError("HOST_KEY_DIFFERS", {
    host: targetName(target),
    name: target.knownAs,
    known: closest ? words(closest.blob) : "another",
    presented: words(blob),
    file: closest?.file,
  });
}

function words(blob: Buffer): string {
  return `${fingerprint(blob)} (${keyType(blob).replace(/[^\w@.-]/g, "?")})`;
}

/** No SHA-1: `ssh-rsa` as a signature is left out, as OpenSSH does since 8.8. */
const algorithms: readonly string[] = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "rsa-sha2-512",
  "rsa-sha2-256",
];

function algorithmsOf(keys: readonly PublicKey[]): readonly string[] {
  const known = algorithms.filter((algorithm) =>
    keys.some(({ type }) => (type === "ssh-rsa" ? algorithm.startsWith("rsa-") : algorithm === type)),
  );
  return [...known, ...algorithms.filter((algorithm) => !known.includes(algorithm))];
}

/** A file that is not there knows nobody; any other trouble must not look like that. */
async function textOf(file: string): Promise<string> {
  return readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return "";
    throw new ProvisionError(
      "SSH_CONFIG_REFUSED",
      { file, what: `it cannot be read: ${error.message}`, mend: `Make "${file}" readable` },
      { cause: error },
    );
  });
}
