import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { ProvisionError } from "../core/errors.ts";

/** An SSH key pair, made for one guest or one build. */
export interface KeyPair {
  /** OpenSSH's own format, with its last line feed. */
  readonly privateKey: string;
  /** Type and blob, no comment: as known_hosts and cloud-init take it. */
  readonly publicKey: string;
}

/** A new ed25519 key pair without a passphrase. */
export async function makeKeyPair(): Promise<KeyPair> {
  const folder = await mkdtemp(join(tmpdir(), "provision-key-"));
  try {
    const path = join(folder, "key");
    await promisify(execFile)("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path]);
    const publicKey = await readFile(`${path}.pub`, "utf8");
    return { privateKey: await readFile(path, "utf8"), publicKey: publicKey.trim().split(" ", 2).join(" ") };
  } catch (error) {
    const reason = error instanceof Error ? error.message : "failed";
    throw new ProvisionError(
      "SEED_FAILED",
      { path: folder, program: "ssh-keygen", reason },
      { cause: error },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
