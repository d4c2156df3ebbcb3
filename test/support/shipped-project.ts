import { cp, readFile } from "node:fs/promises";
import { join } from "node:path";

import { parse } from "yaml";

import type { Run } from "../../src/provisioner/core/run.ts";
import { program } from "../../src/provisioner/local/program.ts";
import type { Manifest } from "../../src/provisioner/pins/manifest.ts";
import { makeTarGz } from "./make-archive.ts";
import { rootlessTree } from "./rootless-tree.ts";
import { openSignedRepository, type SignedRepository, type SomePackage } from "./signed-repository.ts";
import type { SystemdHost } from "./systemd-host.ts";
import { openToolProject, type Release, type ToolProject } from "./tool-project.ts";

const shipped = join(import.meta.dirname, "../..");

/** The shipped specs, templates, bases and drivers, with what they fetch from vendors in the hands of the test. */
export interface ShippedProject extends AsyncDisposable {
  readonly project: ToolProject;
  readonly repository: SignedRepository;
}

/** Where Debian's own builds of tools come from, and how the target reaches this machine. */
export interface ShippedOptions {
  /** A Debian machine of the target's release, which downloads the builds; without it no tool does real work. */
  readonly builder?: Pick<SystemdHost, "sh" | "root">;
  /** A root with `treePackages`: nerdctl is a tree of its programs. */
  readonly containers?: string;
  /** What the servers listen on. */
  readonly address?: string;
  /** What the target calls this machine. */
  readonly seenAt?: string;
}

/** The versions.yaml that ships. */
export async function shippedPins(): Promise<Manifest> {
  return parse(await readFile(join(shipped, "versions.yaml"), "utf8")) as Manifest;
}

/**
 * Opens one. Vendors' repositories are one of ours, with packages of ours in the vendors' place; tools are Debian's own
 * builds where the profiles need them to work, else programs that say their name and version.
 */
export async function openShippedProject({
  builder,
  containers,
  address = "127.0.0.1",
  seenAt = "127.0.0.1",
}: ShippedOptions = {}): Promise<ShippedProject> {
  const project = await openToolProject(address);
  const repository = await openSignedRepository({ address });
  await repository.publish(fluentBit, containerToolkit);
  for (const folder of ["specs", "templates"])
    await cp(join(shipped, folder), join(project.home, folder), { recursive: true });
  const manifest = await shippedPins();
  const { bases, drivers } = manifest;
  const place = new URL(repository.url);
  place.hostname = seenAt;
  project.sections = { bases, drivers, repositories: ours(manifest, repository, place.origin) };
  const builds = [
    ...(builder === undefined ? [] : await debianBuilds(builder, manifest)),
    ...(containers === undefined
      ? []
      : [await rootlessTree(containers, manifest.tools?.["nerdctl"]?.version ?? "")]),
  ];
  const others = Object.keys(manifest.tools ?? {}).filter(
    (name) => !builds.some((each) => each.name === name),
  );
  await project.pin(...builds, ...others.map((name) => standIn(name, manifest)));
  return {
    project,
    repository,
    async [Symbol.asyncDispose]() {
      await repository[Symbol.asyncDispose]();
      await project[Symbol.asyncDispose]();
    },
  };
}

/** The address by which the guests of a libvirt network find this machine. */
export async function gatewayOf(network: string, run: Run): Promise<string> {
  const xml = await program(["virsh", "-c", "qemu:///system", "net-dumpxml", network], { run });
  const [, address] = /<ip address='([^']+)'/.exec(xml) ?? [];
  if (address === undefined) throw new Error(`libvirt's network ${network} has no address`);
  return address;
}

/** Same layout as each vendor's, other address and key. */
function ours({ repositories = {} }: Manifest, repository: SignedRepository, origin: string): object {
  const key = { url: repository.keyUrl, fingerprints: [repository.fingerprint] };
  return Object.fromEntries(
    Object.entries(repositories).map(([name, entry]) => {
      const uris = entry.uris.map((uri) => uri.replace(/^https:\/\/[^/]+/, origin));
      return [name, { ...entry, uris, key }];
    }),
  );
}

/** A release of a tool as its entry says, with a program of ours: what is asked of it says its name and version. */
function standIn(name: string, { tools = {} }: Manifest): Release {
  const { version = "", system } = tools[name] ?? {};
  const works = name === "nvidia_gpu_exporter" ? "exec sleep infinity" : `echo ${name} ${version}`;
  const body = makeTarGz([{ path: name, mode: 0o755, body: `#!/bin/sh\n${works}\n` }]);
  return { name, file: `${name}.tar.gz`, body, entry: { version, binary: name, ...(system && { system }) } };
}

const builds = {
  laurel: "usr/sbin/laurel",
  node_exporter: "usr/bin/prometheus-node-exporter",
} as const;

/** Packed as upstream packs its own. */
async function debianBuilds(
  builder: Pick<SystemdHost, "sh" | "root">,
  { tools = {} }: Manifest,
): Promise<readonly Release[]> {
  await builder.sh(
    "cd /srv && apt-get -qq update && apt-get -qq download laurel prometheus-node-exporter >/dev/null 2>&1 && " +
      "for deb in *.deb; do dpkg-deb -x $deb unpacked; done",
  );
  return Promise.all(
    Object.entries(builds).map(async ([name, path]) => {
      const body = await readFile(join(builder.root, "srv/unpacked", path));
      const { version = "", binary } = tools[name] ?? {};
      const member = typeof binary === "string" ? binary.replace("{stem}", name) : name;
      const entry = { version, binary, system: true };
      return { name, file: `${name}.tar.gz`, body: makeTarGz([{ path: member, mode: 0o755, body }]), entry };
    }),
  );
}

const logForwarder = `#!/bin/sh
# Stands in for the real one: knows --dry-run, and tries to write where it should and should not.
config=
while [ $# -gt 0 ]; do
  case $1 in
    --dry-run) dry=yes ;;
    -c) config=$2; shift ;;
  esac
  shift
done
grep -q '^\\[SERVICE\\]' "$config" || { echo "no [SERVICE] in $config" >&2; exit 1; }
unknown=$(sed -n 's/^ *name  *//p' "$config" | grep -vxE 'file|forward|http|loki|null|systemd|tail')
[ -z "$unknown" ] || { echo "[2026/01/01 00:00:00.0] [error] [config] unknown plugin: $unknown" >&2; exit 1; }
[ "\${dry:-}" != yes ] || { echo "configuration test is successful"; exit; }
for place in /usr /etc /var/log /root; do
  touch "$place/written" 2>/dev/null && echo "$place"
done >/var/lib/fluent-bit/too-much
echo "$config \${LOKI_PASSWORD:-} \${HOSTNAME:-}" >>/var/lib/fluent-bit/starts
exec sleep infinity
`;

const unit = `[Unit]
Description=Fluent Bit
[Service]
ExecStart=/opt/fluent-bit/bin/fluent-bit -c //etc/fluent-bit/fluent-bit.conf
Restart=always
[Install]
WantedBy=multi-user.target
`;

const fluentBit: SomePackage = {
  name: "fluent-bit",
  version: "9.9.9",
  files: {
    "opt/fluent-bit/bin/fluent-bit": logForwarder,
    "etc/fluent-bit/fluent-bit.conf": "[SERVICE]\n",
    "etc/fluent-bit/parsers.conf": "[PARSER]\n",
    "usr/lib/systemd/system/fluent-bit.service": unit,
  },
};

/** Where there is no GPU nothing of it ever runs. */
const containerToolkit: SomePackage = {
  name: "nvidia-container-toolkit",
  version: "9.9.9",
  files: { "usr/bin/nvidia-ctk": "#!/bin/sh\necho 'there is no GPU' >&2\nexit 1\n" },
};
