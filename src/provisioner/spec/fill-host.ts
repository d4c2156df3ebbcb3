import { createHash } from "node:crypto";
import { resolve } from "node:path";

import { fillAddressing } from "../core/network-card.ts";
import type { HostNetwork, HostSpec, HostUser, ImageReference, KeySource } from "./host-spec.ts";
import type { HostText, NetworkText } from "./host-schema.ts";

/** A host of what its files say, with everything they leave out; `folder` is theirs. */
export function fillHost(name: string, text: HostText, folder: string): HostSpec {
  return {
    name,
    fqdn: text.domain === undefined ? undefined : `${name}.${text.domain}`,
    image: imageReference(text.image ?? "", folder),
    hypervisor: text.hypervisor,
    pool: text.pool ?? "default",
    cpus: text.cpus ?? 2,
    memoryMiB: text.memoryMiB ?? 2048,
    disk: { sizeGiB: text.disk?.sizeGiB, mode: text.disk?.mode ?? "overlay" },
    extraDisks: text.extraDisks ?? [],
    networks: fillNetworks(name, text.networks ?? [{ network: "default" }]),
    users: (text.users ?? []).map((user) => fillUser(user, folder)),
    timezone: text.timezone,
    autostart: text.autostart ?? true,
    gpus: text.gpus ?? [],
    labels: text.labels ?? {},
    variables: text.variables ?? {},
  };
}

/** What `image` names: the path of a file has a slash, and is seen from the host's own. */
export function imageReference(image: string, folder: string): ImageReference {
  if (image.includes("/")) return { kind: "file", path: resolve(folder, image) };
  const [name = "", version] = image.split("@", 2);
  return { kind: "spec", name, version };
}

/** The interface name of a host's card, by its place in the list. */
export function interfaceName(card: NetworkText, index: number): string {
  return card.interface ?? `net${index}`;
}

function fillNetworks(host: string, cards: readonly NetworkText[]): readonly HostNetwork[] {
  const seen = new Map<string, number>();
  return cards.map((card, index) => {
    const joins =
      card.bridge === undefined
        ? ({ kind: "network", name: card.network ?? "" } as const)
        : ({ kind: "bridge", name: card.bridge } as const);
    const place = `${joins.kind} ${joins.name}`;
    const turn = seen.get(place) ?? 0;
    seen.set(place, turn + 1);
    return {
      joins,
      mac: card.mac ?? madeMac(`${host} ${place} ${turn}`),
      interface: interfaceName(card, index),
      ...fillAddressing(card),
    };
  });
}

/** In the range QEMU's guests use. The same for one card whatever else changes, so that its lease stays its own. */
function madeMac(card: string): string {
  const [one, two, three] = createHash("sha256").update(card).digest("hex").match(/../g) ?? [];
  return `52:54:00:${one}:${two}:${three}`;
}

type UserText = NonNullable<HostText["users"]>[number];

function fillUser(user: UserText, folder: string): HostUser {
  return {
    name: user.name,
    comment: user.comment,
    keys: user.keys.map((key) => keySource(key, folder)),
    groups: user.groups ?? [],
    sudo: user.sudo ?? false,
    shell: user.shell ?? "/bin/bash",
  };
}

function keySource(key: UserText["keys"][number], folder: string): KeySource {
  if (key === "agent") return { kind: "agent" };
  if (typeof key === "string") return { kind: "line", line: key };
  return { kind: "file", path: key.file.startsWith("~/") ? key.file : resolve(folder, key.file) };
}
