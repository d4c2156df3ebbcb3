import { readFile } from "node:fs/promises";
import { join } from "node:path";

import type { ExecaError } from "execa";

import { ProvisionError } from "../core/errors.ts";
import { secretName, type SecretSource } from "../core/secret.ts";
import { shortestSecret } from "../core/secret-forms.ts";

/** What of this machine secrets are read from. */
export interface SecretPlaces {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly cwd: string;
  readonly signal: AbortSignal;
  /** The file beside the spec that a relative path means. */
  readonly beside: (path: string) => string;
}

/** Whoever is asked for a passphrase gets time to look it up. */
const LIMIT_MS = 120_000;

/** It travels within a flight: a longer one would lie on this machine's disk for a while. */
const LONGEST_BYTES = 64 * 1024;

/** The text of a secret, to its last newline. Throws SECRET_UNAVAILABLE, whose message never holds any of it. */
export async function readSecret(source: SecretSource, places: SecretPlaces): Promise<string> {
  const text = textOf(source, await bytesOf(source, places));
  const length = Array.from(text.trim()).length;
  if (length < shortestSecret) {
    const is = length === 0 ? "is empty" : "is shorter";
    const reason = `must have ${shortestSecret} characters at least, so that it can be told in what is printed, ${is}`;
    throw unavailable(source, reason, "Use a longer secret");
  }
  return text;
}

async function bytesOf(source: SecretSource, places: SecretPlaces): Promise<Buffer> {
  const { file, env, command = [] } = source;
  if (file !== undefined) return bytesOfFile(source, pathOf(file, places));
  if (env === undefined) return printed(source, command, places);
  const value = places.env[env];
  if (value !== undefined) return Buffer.from(value);
  throw unavailable(source, "must be set, is not", `Run the same command with ${env} in its environment`);
}

function pathOf(file: string, { home, beside }: SecretPlaces): string {
  if (file.startsWith("/")) return file;
  return file.startsWith("~/") ? join(home, file.slice(2)) : beside(file);
}

async function bytesOfFile(source: SecretSource, path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    const reason = `must be a file that can be read, is not: "${path}" (${code})`;
    throw unavailable(source, reason, `Put the secret into "${path}", readable for you alone (0600)`, error);
  }
}

async function printed(
  source: SecretSource,
  [program = "", ...args]: readonly string[],
  { env, cwd, signal }: SecretPlaces,
): Promise<Buffer> {
  const { execa } = await import("execa");
  try {
    const { stdout } = await execa(program, args, {
      cwd,
      env: { ...env },
      extendEnv: false,
      cancelSignal: signal,
      timeout: LIMIT_MS,
      stdin: "ignore",
      // Not kept, so that no message can hold any of it.
      stderr: "ignore",
      encoding: "buffer",
      stripFinalNewline: false,
    });
    return Buffer.from(stdout);
  } catch (error) {
    signal.throwIfAborted();
    const { code, timedOut, exitCode, signal: killedBy } = error as ExecaError;
    const line = [program, ...args].join(" ");
    const mend = `Run \`${line}\` on this machine to see why`;
    // Without its cause, which holds what the program printed.
    if (code === "ENOENT") throw unavailable(source, `"${program}" must be a program here, is missing`, mend);
    if (timedOut) throw unavailable(source, `must end within ${LIMIT_MS / 1000} s, does not`, mend);
    throw unavailable(source, `must exit 0, is ${exitCode ?? killedBy ?? "gone"}`, mend);
  }
}

function textOf(source: SecretSource, bytes: Buffer): string {
  const mend = "Give the secret as text, in base64 for instance";
  if (bytes.length > LONGEST_BYTES) {
    throw unavailable(source, `must have ${LONGEST_BYTES} bytes at most, has ${bytes.length}`, mend);
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    if (!text.includes("\0")) return text;
  } catch {
    // Told below: what the decoder says helps nobody.
  }
  throw unavailable(source, "must be UTF-8 text without NUL, is not", mend);
}

function unavailable(source: SecretSource, reason: string, mend: string, cause?: unknown): ProvisionError {
  return new ProvisionError("SECRET_UNAVAILABLE", { secret: secretName(source), reason, mend }, { cause });
}
