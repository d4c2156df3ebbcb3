import { userInfo } from "node:os";

import { ProvisionError } from "../core/errors.ts";

/** Numbers of libvirt's errors (virErrorNumber) that mean something to us. */
export const virtCodes = {
  internal: 1,
  noSupport: 3,
  invalidArgument: 8,
  operationFailed: 9,
  systemError: 38,
  noDomain: 42,
  noNetwork: 43,
  authFailed: 45,
  noStoragePool: 49,
  noStorageVolume: 50,
  operationInvalid: 55,
  noNodeDevice: 53,
  noDomainSnapshot: 72,
  authCancelled: 79,
  noDomainMetadata: 80,
  agentUnresponsive: 86,
  accessDenied: 88,
  authUnavailable: 94,
} as const;

/** What of a virError we keep. */
export interface VirtError {
  readonly code: number;
  readonly domain: number;
  readonly message: string;
  /** errno, where the code is `systemError`. */
  readonly errno: number;
}

/** From the C structure. */
export function virtErrorFrom(fields: Readonly<Record<string, unknown>>): VirtError {
  return {
    code: Number(fields["code"]),
    domain: Number(fields["domain"]),
    message: typeof fields["message"] === "string" ? fields["message"] : "no message",
    errno: Number(fields["int1"]),
  };
}

/** Whether an error is libvirt's, of this code. */
export function isVirtError(error: unknown, code: number): boolean {
  return error instanceof ProvisionError && error.code === "LIBVIRT_FAILED" && codeOf(error) === code;
}

function codeOf(error: ProvisionError): unknown {
  return "code" in error.facts ? error.facts.code : undefined;
}

/** A call that failed, as an error of the catalogue. */
export function callFailed(uri: string, call: string, error: VirtError): ProvisionError {
  const { code, domain, message } = error;
  return new ProvisionError("LIBVIRT_FAILED", { uri, call, code, domain, reason: message });
}

/** Errors of `open` that have a cause of their own. errno tells what the translated text might not. */
export function openFailed(uri: string, error: VirtError): ProvisionError {
  const reason = error.message;
  const denied = [1, 13]; // EPERM, EACCES
  const absent = [2, 104, 111]; // ENOENT, ECONNRESET, ECONNREFUSED
  const { authFailed, authCancelled, authUnavailable, accessDenied } = virtCodes;
  const authentication: number[] = [authFailed, authCancelled, authUnavailable, accessDenied];
  // A machine without D-Bus or polkit can let nobody in but root.
  const doorkeepers = [47, 60]; // VIR_FROM_DBUS, VIR_FROM_POLKIT
  const isSystem = error.code === virtCodes.systemError;
  const isDenied =
    authentication.includes(error.code) ||
    doorkeepers.includes(error.domain) ||
    (isSystem && denied.includes(error.errno));
  if (isDenied) return new ProvisionError("LIBVIRT_DENIED", { uri, reason, user: userInfo().username });
  if (isSystem && absent.includes(error.errno)) return new ProvisionError("LIBVIRT_DOWN", { uri, reason });
  return callFailed(uri, "virConnectOpen", error);
}
