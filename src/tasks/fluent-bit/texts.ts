import { Refusal } from "../../provisioner/core/task.ts";
import { files } from "./files.ts";
import type { Params, Properties } from "./schema.ts";

const head = "# By provision; what is changed here by hand is lost.";
const STATE = "/var/lib/fluent-bit";

/** Its service's settings: what cannot be delivered waits on the disk, and not without bounds. */
const service: Properties = {
  flush: 5,
  daemon: "off",
  log_level: "warn",
  parsers_file: `${files.directory}/parsers.conf`,
  "storage.path": `${STATE}/storage`,
  "storage.max_chunks_up": 64,
  "storage.backlog.mem_limit": "16M",
};

/** What is read where a use does not say it. */
const usualInputs: NonNullable<Params["inputs"]> = [
  {
    name: "systemd",
    tag: "journal",
    properties: { db: `${STATE}/journal.db`, read_from_tail: "on", "storage.type": "filesystem" },
  },
  {
    name: "tail",
    tag: "audit",
    properties: {
      path: "/var/log/laurel/audit.log",
      parser: "json",
      db: `${STATE}/audit.db`,
      skip_long_lines: "on",
      "storage.type": "filesystem",
    },
  },
];

/** The configuration of a use that gives it as data. */
export function settingsText(params: Params): string {
  const { outputs = [], inputs = usualInputs, filters = [] } = params;
  const text = [
    head,
    ...section("SERVICE", { ...service, ...params.service }),
    ...inputs.flatMap(({ name, tag, properties }) =>
      section("INPUT", { name, ...(tag !== undefined && { tag }), ...properties }),
    ),
    ...filters.flatMap(({ name, match = "*", properties }) =>
      section("FILTER", { name, match, ...properties }),
    ),
    ...outputs.flatMap(({ name, match = "*", properties }) =>
      section("OUTPUT", { name, match, "storage.total_limit_size": "200M", ...properties }),
    ),
  ].join("\n");
  refuseUnknownNames(text, params);
  return text;
}

function section(title: string, properties: Properties): readonly string[] {
  const lines = Object.entries(properties).flatMap(([key, value]) =>
    [value].flat().map((each) => `    ${key} ${each === true ? "on" : each === false ? "off" : each}`),
  );
  return [`[${title}]`, ...lines, ""];
}

/** fluent-bit would take nothing in the place of what it does not know. */
function refuseUnknownNames(text: string, { secrets = {} }: Params): void {
  for (const [, name = ""] of text.matchAll(/\$\{([^}]*)\}/g)) {
    if (name === "HOSTNAME" || Object.hasOwn(secrets, name)) continue;
    throw new Refusal(
      `\${${name}} must be HOSTNAME or one of its secrets, is neither; add it under \`secrets\`, or write what it stands for`,
    );
  }
}

/** Its secrets for systemd, a line each; nothing when there are none. */
export function secretsText(secrets: Readonly<Record<string, string>>): string | undefined {
  const lines = Object.entries(secrets).map(
    ([name, value]) => `${name}="${value.replaceAll(/["\\$`]/g, String.raw`\$&`)}"\n`,
  );
  return lines.length === 0 ? undefined : lines.join("");
}

/** How the unit comes to read these settings instead of those that it was made with. */
export function dropInText(program: string, hasSecrets: boolean): string {
  return [
    head,
    "[Service]",
    ...(hasSecrets ? [`EnvironmentFile=${files.secrets}`] : []),
    "Environment=HOSTNAME=%H",
    "StateDirectory=fluent-bit",
    "StateDirectoryMode=0700",
    "ExecStart=",
    `ExecStart=${program} -c ${files.settings}`,
    "",
  ].join("\n");
}
