import { cp, readFile } from "node:fs/promises";
import { join } from "node:path";

import { parse } from "yaml";

import type { Manifest } from "../../src/provisioner/pins/manifest.ts";
import { makeTarGz } from "./make-archive.ts";
import { openSignedRepository, type SignedRepository } from "./signed-repository.ts";
import type { SystemdHost } from "./systemd-host.ts";
import { openToolProject, type Release, type ToolProject } from "./tool-project.ts";

const shipped = join(import.meta.dirname, "../..");

/** The shipped specs and templates, with what they fetch from vendors in the hands of the test. */
export interface MonitoringProject extends AsyncDisposable {
  readonly project: ToolProject;
  readonly repository: SignedRepository;
}

/**
 * Opens one. The tools are Debian's own builds, which the host downloads from Debian, packed as upstream packs its own;
 * in fluent-bit's place is a package of ours. `seenAt` is where the target finds this machine.
 */
export async function openMonitoringProject(
  host: Pick<SystemdHost, "sh" | "root">,
  { address = "127.0.0.1", seenAt = "127.0.0.1" } = {},
): Promise<MonitoringProject> {
  const project = await openToolProject(address);
  const repository = await openSignedRepository({ address });
  await repository.publish(fluentBit);
  for (const folder of ["specs", "templates"])
    await cp(join(shipped, folder), join(project.home, folder), { recursive: true });
  const manifest = parse(await readFile(join(shipped, "versions.yaml"), "utf8")) as Manifest;
  const place = new URL(repository.url);
  place.hostname = seenAt;
  // Same layout as the vendor's, other address and key.
  const key = { url: repository.keyUrl, fingerprints: [repository.fingerprint] };
  const uris = [`${place.origin}/{distribution}/{codename}`];
  project.repositories = { "fluent-bit": { ...manifest.repositories?.["fluent-bit"], uris, key } };
  await project.pin(...(await debianBuilds(host, manifest)));
  return {
    project,
    repository,
    async [Symbol.asyncDispose]() {
      await repository[Symbol.asyncDispose]();
      await project[Symbol.asyncDispose]();
    },
  };
}

const builds = {
  laurel: "usr/sbin/laurel",
  node_exporter: "usr/bin/prometheus-node-exporter",
} as const;

async function debianBuilds(
  host: Pick<SystemdHost, "sh" | "root">,
  { tools = {} }: Manifest,
): Promise<readonly Release[]> {
  await host.sh(
    "cd /srv && apt-get -qq update && apt-get -qq download laurel prometheus-node-exporter >/dev/null 2>&1 && " +
      "for deb in *.deb; do dpkg-deb -x $deb unpacked; done",
  );
  return Promise.all(
    Object.entries(builds).map(async ([name, path]) => {
      const body = await readFile(join(host.root, "srv/unpacked", path));
      const { version = "", binary } = tools[name] ?? {};
      const member = typeof binary === "string" ? binary.replace("{stem}", name) : name;
      const entry = { version, binary, system: true };
      return { name, file: `${name}.tar.gz`, body: makeTarGz([{ path: member, mode: 0o755, body }]), entry };
    }),
  );
}

const program = `#!/bin/sh
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
[ "\${dry:-}" != yes ] || { echo "configuration test is successful"; exit; }
for place in /usr /etc /var/log /root; do
  touch "$place/written" 2>/dev/null && echo "$place"
done >/var/lib/fluent-bit/too-much
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

const fluentBit = {
  name: "fluent-bit",
  version: "9.9.9",
  files: {
    "opt/fluent-bit/bin/fluent-bit": program,
    "etc/fluent-bit/fluent-bit.conf": "[SERVICE]\n",
    "etc/fluent-bit/parsers.conf": "[PARSER]\n",
    "usr/lib/systemd/system/fluent-bit.service": unit,
  },
};
