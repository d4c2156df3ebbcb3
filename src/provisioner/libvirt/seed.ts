import { execFile } from "node:child_process";
import { mkdtemp, rename, rm, truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

import { stringify } from "yaml";

import { ProvisionError } from "../core/errors.ts";
import type { KeyPair } from "./host-keys.ts";

/** What cloud-init's NoCloud reads, as values; they are written as YAML. */
export interface Seed {
  readonly metaData: Readonly<Record<string, unknown>>;
  readonly userData: Readonly<Record<string, unknown>>;
  /** Netplan's format, version 2. */
  readonly networkConfig?: Readonly<Record<string, unknown>>;
}

/** Who may come into a builder, and how it proves who it is. */
export interface BuilderIdentity {
  /** Unique for each build: cloud-init does its work once for each. */
  readonly instanceId: string;
  readonly hostKey: KeyPair;
  readonly user: string;
  /** One line of authorized_keys. */
  readonly authorizedKey: string;
}

const run = promisify(execFile);
const imageBytes = 1024 * 1024;

/** The seed of a throw-away guest: one user with one key, and the host key that the first connection expects. */
export function builderSeed({ instanceId, hostKey, user, authorizedKey }: BuilderIdentity): Seed {
  return {
    metaData: { "instance-id": instanceId, "local-hostname": user },
    userData: {
      hostname: user,
      ssh_deletekeys: true,
      // With a key given, cloud-init makes no others. An empty ssh_genkeytypes would be refused by its schema.
      ssh_keys: { ed25519_private: hostKey.privateKey, ed25519_public: hostKey.publicKey },
      // Without `default` in the list the distribution's own user does not appear.
      users: [
        {
          name: user,
          shell: "/bin/bash",
          lock_passwd: true,
          sudo: "ALL=(ALL) NOPASSWD:ALL",
          ssh_authorized_keys: [authorizedKey],
        },
      ],
      ssh_pwauth: false,
      disable_root: true,
      package_update: false,
    },
  };
}

/** The files of a seed, by name. */
export function seedFiles(seed: Seed): Readonly<Record<string, string>> {
  return {
    "meta-data": yaml(seed.metaData),
    "user-data": `#cloud-config\n${yaml(seed.userData)}`,
    ...(seed.networkConfig && { "network-config": yaml(seed.networkConfig) }),
  };
}

/**
 * YAML as cloud-init's parser takes it: 1.1, where yes, on and 1:30 mean something, and without any character that
 * is not printable. So all text is quoted, and unfolded: folding would break long keys.
 */
function yaml(value: unknown): string {
  const text = stringify(value, {
    lineWidth: 0,
    defaultStringType: "QUOTE_DOUBLE",
    doubleQuotedAsJSON: true,
  });
  return text.replace(
    /[^\P{C}\n]|[\u2028\u2029]/gu,
    (odd) => `\\U${(odd.codePointAt(0) ?? 0).toString(16).padStart(8, "0")}`,
  );
}

/**
 * Writes a seed disk: a FAT image labelled CIDATA, readable for its owner alone (it holds a private key). Needs
 * neither root nor a mount.
 */
export async function makeSeed(seed: Seed, path: string): Promise<void> {
  const files = seedFiles(seed);
  const folder = await mkdtemp(join(dirname(path), ".seed-"));
  const image = join(folder, "image");
  try {
    await writeFile(image, "", { mode: 0o600 });
    await truncate(image, imageBytes);
    // A label and a volume id of our own: the same seed is the same bytes.
    await tool(path, "mkfs.vfat", ["--invariant", "-n", "CIDATA", "-i", "c1da7a00", image]);
    for (const [name, text] of Object.entries(files)) {
      await writeFile(join(folder, name), text, { mode: 0o600 });
    }
    const sources = Object.keys(files).map((name) => join(folder, name));
    await tool(path, "mcopy", ["-i", image, "-Q", "-o", ...sources, "::"]);
    await rename(image, path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function tool(path: string, program: string, args: readonly string[]): Promise<void> {
  try {
    // mtools and mkfs live in sbin too, which a user's PATH may lack.
    const env = {
      ...process.env,
      PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`,
      MTOOLS_SKIP_CHECK: "1",
    };
    await run(program, [...args], { env });
  } catch (error) {
    const said = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : "";
    const reason = said || (error instanceof Error ? error.message : "failed");
    throw new ProvisionError("SEED_FAILED", { path, program, reason }, { cause: error });
  }
}
