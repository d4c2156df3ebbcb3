/** One of the ways in which node_exporter comes to a machine. */
export interface Build {
  readonly unit: string;
  readonly program: string;
  /** As whom the unit runs it. */
  readonly user: string;
  /** The file from which the unit takes flags, and the variable in it that holds them. */
  readonly settings: string;
  readonly variable: string;
  /** Where its packager looks for texts with more metrics. */
  readonly textfiles: string;
  /** Our own drop-in, where the unit brings flags of its own that would count as well. */
  readonly dropIn: string | undefined;
}

/** Ours, of the spec monitoring, first; then Debian's. */
export const builds: readonly [Build, Build] = [
  {
    unit: "node_exporter.service",
    program: "/usr/local/bin/node_exporter",
    user: "node_exporter",
    settings: "/etc/default/node_exporter",
    variable: "NODE_EXPORTER_OPTIONS",
    textfiles: "/var/lib/node_exporter/textfile",
    dropIn: "/etc/systemd/system/node_exporter.service.d/settings.conf",
  },
  {
    unit: "prometheus-node-exporter.service",
    program: "/usr/bin/prometheus-node-exporter",
    user: "prometheus",
    settings: "/etc/default/prometheus-node-exporter",
    variable: "ARGS",
    textfiles: "/var/lib/prometheus/node-exporter",
    dropIn: undefined,
  },
];

const DIRECTORY = "/etc/node_exporter";

/** What it reads when it is to be spoken to by TLS or with a password. */
export const webFiles = {
  directory: DIRECTORY,
  config: `${DIRECTORY}/web.yml`,
  certificate: `${DIRECTORY}/tls.crt`,
  key: `${DIRECTORY}/tls.key`,
} as const;

/** Name of the stamp of its last start. */
export const STAMP = "node-exporter";
