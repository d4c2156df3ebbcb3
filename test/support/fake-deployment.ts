import { randomUUID, createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import ssh2 from "ssh2";

import type { Event } from "../../src/provisioner/core/events.ts";
import type { Recipe } from "../../src/provisioner/core/recipe.ts";
import type { Deployment } from "../../src/provisioner/deploy/deployment.ts";
import type { HostLine } from "../../src/provisioner/deploy/host-line.ts";
import { identityRecipe } from "../../src/provisioner/deploy/identity-recipe.ts";
import type { SourceImage } from "../../src/provisioner/deploy/source-image.ts";
import { ownTarget } from "../../src/provisioner/host/ssh-target.ts";
import type { HostSpec } from "../../src/provisioner/spec/host-spec.ts";
import { tasks } from "../../src/tasks/index.ts";
import { FakeGuests } from "./fake-guests.ts";
import { FakeLibvirt } from "./fake-libvirt.ts";
import { recordedRun } from "./recorded-run.ts";
import { scratchFolder } from "./scratch-folder.ts";
import { someHost } from "./some-host.ts";
import { sourcesOf } from "./tasks.ts";

const GIB = 1024 ** 3;

/** The pair that whoever deploys here logs in with. */
export const ownKey = ssh2.utils.generateKeyPairSync("ed25519");

/** Who may do everything on a host of these tests. */
export const alice: HostSpec["users"][number] = {
  name: "alice",
  comment: "Alice",
  keys: [{ kind: "line", line: ownKey.public }],
  groups: ["adm"],
  sudo: true,
  shell: "/bin/bash",
};

/** A hypervisor with the guests on it, and all that deployments to it share. */
export interface Lab {
  readonly hypervisor: FakeLibvirt;
  readonly guests: FakeGuests;
  readonly folder: string;
  image: SourceImage;
  /** Keys that were written down, by host. */
  readonly remembered: Map<string, string>;
  /** What was said, of all deployments. */
  readonly events: Event[];
  /** A deployment of a host to it. */
  deploy(changes?: Partial<HostSpec>, more?: DeploymentChanges): Deployment;
}

/** How a deployment differs from one of a host that is as its file says. */
export interface DeploymentChanges extends Partial<Deployment> {
  readonly signal?: AbortSignal;
  readonly tasks?: Recipe;
}

export async function openLab(): Promise<Lab> {
  const folder = await scratchFolder();
  const hypervisor = new FakeLibvirt();
  const guests = new FakeGuests(hypervisor);
  const lab: Lab = {
    hypervisor,
    guests,
    folder,
    image: await someImage(folder, "base@20260131-0a1b2c3d"),
    remembered: new Map(),
    events: [],
    deploy: (changes, more) => deploymentIn(lab, changes, more),
  };
  return lab;
}

/** What there is of hosts, beside images. */
export function leftIn({ hypervisor, guests }: Lab) {
  return {
    domains: [...hypervisor.domains.keys()],
    volumes: hypervisor.disks.names().filter((name) => !name.startsWith("provision-image-")),
    reservations: hypervisor.reservations.map(({ address }) => address),
    connections: guests.open,
  };
}

/** Whether each image that is there is whole, with the volume that says so. */
export function imagesAreWhole({ hypervisor }: Lab): boolean {
  const images = hypervisor.disks.names().filter((name) => name.startsWith("provision-image-"));
  return images.every((name) =>
    images.includes(name.endsWith(".whole") ? name.slice(0, -6) : `${name}.whole`),
  );
}

/** Nothing at all. */
export const nothing: ReturnType<typeof leftIn> = {
  domains: [],
  volumes: [],
  reservations: [],
  connections: 0,
};

/** A file with the head of a qcow2 of 4 GiB. */
export async function someImage(folder: string, label: string): Promise<SourceImage> {
  const path = join(folder, `${randomUUID()}.qcow2`);
  const bytes = qcow2({ virtualGiB: 4, text: label });
  await writeFile(path, bytes);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { label, path, sha256, bytes: bytes.length, virtualBytes: 4 * GIB, distribution: "debian-13" };
}

/** The bytes that begin a qcow2 image, and a text to tell it from others. */
export function qcow2(has: { virtualGiB: number; text?: string; hasBackingFile?: boolean }): Buffer {
  const head = Buffer.alloc(104);
  head.writeUInt32BE(0x514649fb, 0);
  head.writeUInt32BE(3, 4);
  head.writeBigUInt64BE(has.hasBackingFile ? 104n : 0n, 8);
  head.writeBigUInt64BE(BigInt(has.virtualGiB * GIB), 24);
  return Buffer.concat([head, Buffer.from(has.text ?? "")]);
}

/** By way of another machine: nobody knocks at a host's address before it is made. */
export const farLine: HostLine = lineWith([
  ownTarget({ host: "hypervisor", user: "root", hostKey: "", privateKey: "" }),
]);

function lineWith(jumps: ReturnType<HostLine["targetAt"]>["jumps"]): HostLine {
  const { private: privateKey } = ownKey;
  return {
    user: "alice",
    addresses: [],
    targetAt: (host, hostKey) => ({ ...ownTarget({ host, user: "alice", hostKey, privateKey }), jumps }),
  };
}

function deploymentIn(
  lab: Lab,
  changes: Partial<HostSpec> = {},
  { signal, tasks: own = [], ...more }: DeploymentChanges = {},
): Deployment {
  const spec = someHost({ users: [alice], ...changes });
  const { run } = recordedRun(signal, (event) => lab.events.push(event));
  const authorizedKeys = new Map(
    spec.users.map(({ name, keys }) => [
      name,
      keys.flatMap((key) => (key.kind === "line" ? [key.line] : [])),
    ]),
  );
  const where = { file: "hosts/web.yaml", line: 1, column: 1 };
  const task = (name: string) => tasks.find((each) => each.name === name) ?? missing(name);
  const { remember } = lab.hypervisor.watched("", {
    remember: async (name: string, key: string) => void lab.remembered.set(name, key),
  });
  return {
    spec,
    driver: lab.hypervisor.driver,
    line: farLine,
    authorizedKeys,
    recipe: (gone) => [...identityRecipe(spec, { task, authorizedKeys, where, gone }), ...own],
    sources: sourcesOf(),
    image: async () => lab.image,
    replace: false,
    keepOnError: false,
    owner: "alice@desk, process 1",
    workDir: join(lab.folder, "work"),
    reach: lab.guests.reach,
    remember,
    run,
    ...more,
  };
}

function missing(name: string): never {
  throw new Error(`There is no task "${name}"`);
}
