import { XMLParser } from "fast-xml-parser";

import type { ProcessIdentity } from "../local/process-identity.ts";
import type { DiskOrigin, HostMark, Mark } from "./driver.ts";

/** The XML namespace under which libvirt keeps our mark. */
export const markNamespace = "urn:provision:mark:1";

const roles: readonly string[] = ["builder", "verify", "probe", "scratch", "host"] satisfies Mark["role"][];

/** The mark as an element for a domain's `<metadata>`. JSON inside: it escapes what XML cannot hold. */
export function markToXml(mark: Mark): string {
  const text = JSON.stringify(mark).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return `<provision:mark xmlns:provision="${markNamespace}">${text}</provision:mark>`;
}

/** The mark in what libvirt gives back; `undefined` when it cannot be read: then the domain is not ours to touch. */
export function markFromXml(xml: string): Mark | undefined {
  const parser = new XMLParser({ parseTagValue: false, removeNSPrefix: true, ignoreAttributes: true });
  const parsed: unknown = parser.parse(xml);
  const text = isRecord(parsed) ? parsed["mark"] : undefined;
  if (typeof text !== "string") return undefined;
  try {
    return markFrom(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function markFrom(value: unknown): Mark | undefined {
  if (!isRecord(value)) return undefined;
  const { role, run, pid, files, owner, origin, host, kept } = value;
  if (typeof role !== "string" || !roles.includes(role)) return undefined;
  if (typeof run !== "string" || typeof pid !== "number" || !Array.isArray(files)) return undefined;
  if (!files.every((file) => typeof file === "string" && file.startsWith("/"))) return undefined;
  const known = identityFrom(owner);
  const from = originFrom(origin);
  const deployed = hostFrom(host);
  return {
    role: role as Mark["role"],
    run,
    pid,
    files,
    ...(known && { owner: known }),
    ...(from && { origin: from }),
    ...(deployed && { host: deployed }),
    ...(typeof kept === "string" && { kept }),
  };
}

function originFrom(value: unknown): DiskOrigin | undefined {
  if (!isRecord(value)) return undefined;
  const { image, sha256, mode } = value;
  if (typeof image !== "string" || typeof sha256 !== "string") return undefined;
  return mode === "overlay" || mode === "copy" ? { image, sha256, mode } : undefined;
}

function hostFrom(value: unknown): HostMark | undefined {
  if (!isRecord(value)) return undefined;
  const { pool, hostKey, fqdn, users, ready } = value;
  if (typeof pool !== "string" || typeof hostKey !== "string" || typeof ready !== "boolean") return undefined;
  if (!Array.isArray(users) || !users.every((user) => typeof user === "string")) return undefined;
  return { pool, hostKey, fqdn: typeof fqdn === "string" ? fqdn : undefined, users, ready };
}

/** A process identity out of JSON. */
export function identityFrom(value: unknown): ProcessIdentity | undefined {
  if (!isRecord(value)) return undefined;
  const { pid, machine, boot, started } = value;
  if (typeof pid !== "number" || typeof machine !== "string") return undefined;
  if (typeof boot !== "string" || typeof started !== "string") return undefined;
  return { pid, machine, boot, started };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
