import { open } from "node:fs/promises";

import type { Complaint } from "../core/errors.ts";
import type { Recipe, Use } from "../core/recipe.ts";
import { secretName, secretsIn } from "../core/secret.ts";
import { findSources } from "./formats.ts";

/** Places whose content is one person's or one machine's. `**` stands for anything, `*` for one part of a path. */
const personalPlaces: readonly { readonly what: string; readonly paths: readonly string[] }[] = [
  { what: "a host name", paths: ["/etc/hostname", "/etc/machine-info"] },
  { what: "the machine's id", paths: ["/etc/machine-id", "/var/lib/dbus/machine-id"] },
  { what: "an SSH host key", paths: ["/etc/ssh/ssh_host_*"] },
  { what: "who may log in by key", paths: ["**/authorized_keys", "**/authorized_keys2"] },
  { what: "a person's SSH settings", paths: ["/root/.ssh", "/root/.ssh/**"] },
  { what: "a person's home", paths: ["/home/**"] },
  { what: "a right of sudo", paths: ["/etc/sudoers", "/etc/sudoers.d/**"] },
  {
    what: "the list of users",
    paths: ["/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow", "/etc/subuid", "/etc/subgid"],
  },
  {
    what: "a network address",
    paths: [
      "/etc/netplan/**",
      "/etc/network/interfaces",
      "/etc/network/interfaces.d/**",
      "/etc/NetworkManager/system-connections/**",
      "/etc/wireguard/**",
    ],
  },
  { what: "a user's job", paths: ["/var/spool/cron/crontabs/**", "/var/spool/cron/atjobs/**"] },
  { what: "a user's mail", paths: ["/var/mail/**", "/var/spool/mail/**"] },
  { what: "a user whose services linger", paths: ["/var/lib/systemd/linger/**"] },
];

const places = personalPlaces.map(({ what, paths }) => ({
  what,
  shape: new RegExp(`^(${paths.map(shapeOf).join("|")})$`, "s"),
}));

/** First line of a private key: RFC 7468, OpenSSH, PuTTY, age; with RFC 9580 OpenPGP too. */
const privateKey =
  /-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY( BLOCK)?-----|^PuTTY-User-Key-File-|\bAGE-SECRET-KEY-1/m;

/** A key begins at the top of a file or below some comment. */
const HEAD_BYTES = 64 * 1024;

const mend =
  "Leave it out of the image: give it to each machine by its cloud-init seed, or settle it there with `provision apply`";

/** Everything in a recipe that would make an image one person's or one machine's. */
export async function personalUses(recipe: Recipe, sourceDirs: readonly string[]): Promise<Complaint[]> {
  const found = await Promise.all(
    recipe.map(async (use) => {
      const what = identityOf(use) ?? secretOf(use) ?? (await keyIn(use, sourceDirs));
      return what === undefined ? [] : [complaint(use, what)];
    }),
  );
  return found.flat();
}

function complaint({ id, where }: Use, what: string): Complaint {
  return { where, what: `Cannot put ${id} into an image: must be nobody's, brings ${what}`, mend };
}

function identityOf({ task, params }: Use): string | undefined {
  const said = task.identity?.(params);
  if (said !== undefined || task.takesAway) return said;
  for (const path of task.owns?.(params) ?? []) {
    const place = places.find(({ shape }) => shape.test(path));
    if (place) return `${place.what} ("${path}")`;
  }
  return undefined;
}

/** What is settled with a secret is for those who share it. */
function secretOf({ task, params }: Use): string | undefined {
  const [first] = secretsIn(params, task.schema);
  return first && `a secret (${secretName(first)})`;
}

async function keyIn({ params }: Use, sourceDirs: readonly string[]): Promise<string | undefined> {
  if (textsIn(params).some((text) => privateKey.test(text))) return "a private key";
  const { source } = params as { readonly source?: unknown };
  if (typeof source !== "string") return undefined;
  const heads = await Promise.all(findSources(sourceDirs, source).map(headOf));
  return heads.some((text) => privateKey.test(text)) ? `a private key ("${source}")` : undefined;
}

/** Every text in parameters, at whatever depth. */
function textsIn(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

async function headOf(path: string): Promise<string> {
  await using file = await open(path, "r");
  const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
  return buffer.toString("latin1", 0, bytesRead);
}

function shapeOf(pattern: string): string {
  return pattern
    .split(/(\*{1,2})/)
    .map((part) => {
      if (part === "**") return ".+";
      return part === "*" ? "[^/]+" : part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`);
    })
    .join("");
}
