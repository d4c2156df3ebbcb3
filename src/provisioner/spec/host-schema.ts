import type { Static } from "typebox";

import { addressing } from "../core/network-card.ts";
import { absolutePath, accountName, dnsNamePattern, interfacePattern, macPattern } from "../core/patterns.ts";
import { Type } from "../core/schema.ts";
import { gpuPattern } from "./host-patterns.ts";
import { imageSpecSchema } from "./image-spec.ts";
import { publicKeyPattern } from "./public-key.ts";

const closed = { additionalProperties: false };

const disk = Type.Object(
  {
    sizeGiB: Type.Optional(
      Type.Integer({
        minimum: 4,
        maximum: 65_536,
        description: "Size of the disk, no less than the image's; left out: the image's",
      }),
    ),
    mode: Type.Optional(
      Type.Union([Type.Literal("overlay"), Type.Literal("copy")], {
        default: "overlay",
        description: "overlay: only what differs from the image, which must stay; copy: a disk of its own",
      }),
    ),
  },
  { ...closed, description: "The disk with the system and its state" },
);

const extraDisk = Type.Object(
  {
    name: Type.String({
      pattern: "^[a-z0-9][a-z0-9-]{0,19}$",
      description: "Its serial number too: /dev/disk/by-id/virtio-<name> on the host",
    }),
    sizeGiB: Type.Integer({ minimum: 1, maximum: 65_536, description: "Size of the disk" }),
  },
  closed,
);

const network = Type.Object(
  {
    network: Type.Optional(
      Type.String({ pattern: "^[^/\\s]+$", description: "libvirt's network that the card joins" }),
    ),
    bridge: Type.Optional(
      Type.String({
        pattern: "^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$",
        description: "Bridge of the hypervisor that the card joins",
      }),
    ),
    mac: Type.Optional(
      Type.String({
        pattern: macPattern,
        description: "Hardware address; left out: one made from the host's name, the same each time",
      }),
    ),
    interface: Type.Optional(
      Type.String({
        pattern: interfacePattern,
        description: "Name on the host; left out: net0, net1 and so on, in the order of the list",
      }),
    ),
    ...addressing,
  },
  { ...closed, oneOf: [{ required: ["network"] }, { required: ["bridge"] }] },
);

const key = Type.Union([
  Type.Literal("agent"),
  Type.String({ pattern: publicKeyPattern }),
  Type.Object(
    {
      file: Type.String({
        format: "key-file",
        minLength: 1,
        description: "Beside the host's file, in a home (~/.ssh/id_ed25519.pub) or from the root",
      }),
    },
    closed,
  ),
]);

const user = Type.Object(
  {
    name: Type.String({ pattern: accountName, description: "Login name" }),
    comment: Type.Optional(
      Type.String({ pattern: "^[^:\\u0000-\\u001f\\u007f]*$", description: "Full name or purpose (GECOS)" }),
    ),
    keys: Type.Array(key, {
      minItems: 1,
      description:
        "Who may log in: public keys, `file` for those of a file, `agent` for those of the SSH agent of who deploys",
    }),
    groups: Type.Optional(
      Type.Array(Type.String({ pattern: accountName }), {
        uniqueItems: true,
        description: "Further groups the user belongs to",
      }),
    ),
    sudo: Type.Optional(
      Type.Boolean({
        default: false,
        description: "May do everything by sudo, without a password: no user has one",
      }),
    ),
    shell: Type.Optional(
      Type.String({ pattern: absolutePath, default: "/bin/bash", description: "Login shell" }),
    ),
  },
  closed,
);

/** What a host's file and defaults.yaml may say; the entries of `tasks` are checked task by task. */
export const hostSchema = Type.Object(
  {
    description: Type.Optional(
      Type.String({ minLength: 1, description: "What the host is for, in one sentence" }),
    ),
    image: Type.Optional(
      Type.String({
        format: "image",
        description:
          "What it starts from: the image of a spec (base), one version of it (base@20260131-0a1b2c3d), or the path of a qcow2 file, with a slash (./own.qcow2)",
      }),
    ),
    hypervisor: Type.Optional(
      Type.String({
        pattern: "^[a-z]+(\\+[a-z0-9]+)?://\\S*$",
        description:
          "libvirt's URI of the machine it runs on; left out: this one, or as PROVISION_LIBVIRT says",
      }),
    ),
    pool: Type.Optional(
      Type.String({
        pattern: "^[^/\\s]+$",
        default: "default",
        description:
          "libvirt's pool that its disks lie in, a folder of files; default is made where it is missing",
      }),
    ),
    domain: Type.Optional(
      Type.String({
        pattern: dnsNamePattern,
        maxLength: 189,
        description: "Domain of DNS that the host's name is in: lan, example.org",
      }),
    ),
    cpus: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 256, default: 2, description: "Virtual processors" }),
    ),
    memoryMiB: Type.Optional(
      Type.Integer({ minimum: 512, maximum: 16_777_216, default: 2048, description: "Memory" }),
    ),
    disk: Type.Optional(disk),
    extraDisks: Type.Optional(
      Type.Array(extraDisk, {
        maxItems: 20,
        description: "Further disks, empty at first, which outlive the system's",
      }),
    ),
    networks: Type.Optional(
      Type.Array(network, {
        maxItems: 8,
        description: "Network cards; left out: one in libvirt's network `default`, with DHCP",
      }),
    ),
    users: Type.Optional(
      Type.Array(user, { minItems: 1, description: "Who may log in; nobody else is made" }),
    ),
    timezone: Type.Optional(
      Type.String({
        pattern: "^[A-Z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$",
        description: "Name in the tz database: Europe/Berlin; left out: the image's",
      }),
    ),
    autostart: Type.Optional(
      Type.Boolean({ default: true, description: "Whether it starts with its hypervisor" }),
    ),
    gpus: Type.Optional(
      Type.Array(Type.String({ pattern: gpuPattern }), {
        uniqueItems: true,
        description:
          "PCI devices of the hypervisor that are handed through whole, as `lspci -D` names them: 0000:01:00.0",
      }),
    ),
    labels: Type.Optional(
      Type.Record(Type.String(), Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9._/-]*$" }), {
        description: "Words of your own about the host, each with a value: role: server",
      }),
    ),
    variables: imageSpecSchema.properties.variables,
    tasks: imageSpecSchema.properties.tasks,
  },
  closed,
);

/** What one file of a host says. */
export type HostText = Static<typeof hostSchema>;
/** A network card as a file has it. */
export type NetworkText = Static<typeof network>;
