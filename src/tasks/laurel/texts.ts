import { files } from "./files.ts";
import type { Params } from "./schema.ts";

const head = "# By provision; what is changed here by hand is lost.";

type Value = string | number | boolean | readonly string[] | Readonly<Record<string, string>> | undefined;

/** laurel's configuration. Each setting stands in it, so that another release's defaults change nothing. */
export function settingsText({
  log = {},
  transform = {},
  enrich = {},
  labels = {},
  filter = {},
}: Params): string {
  const lines = [
    head,
    'directory = "/var/log/laurel"',
    'user = "_laurel"',
    ...section("auditlog", {
      file: "audit.log",
      size: log.sizeBytes ?? 5_000_000,
      generations: log.generations ?? 10,
      "read-users": log.readUsers,
      "line-prefix": log.linePrefix,
    }),
    ...section("state", { file: "state" }),
    ...section("transform", {
      "execve-argv": argumentForms[transform.arguments ?? "list"],
      "execve-argv-limit-bytes": transform.argumentsLimitBytes,
    }),
    ...section("translate", {
      universal: transform.names ?? true,
      "user-db": transform.users ?? true,
      "drop-raw": transform.dropNumbers ?? false,
    }),
    ...section("enrich", {
      pid: enrich.processes ?? true,
      script: enrich.scripts ?? true,
      container: enrich.containers ?? true,
      systemd: enrich.units ?? true,
      "execve-env": enrich.environment ?? ["LD_PRELOAD", "LD_LIBRARY_PATH"],
    }),
    ...section("label-process", {
      "label-keys": labels.keys ?? ["software_mgmt"],
      "label-exe": labels.programs,
      "label-argv": labels.arguments,
      "label-script": labels.scripts,
      "propagate-labels": labels.inherited ?? ["software_mgmt"],
    }),
    ...section("filter", {
      "filter-keys": filter.keys ?? [],
      "filter-labels": filter.labels ?? [],
      "filter-null-keys": filter.withoutKey ?? false,
    }),
    "",
  ];
  return lines.join("\n");
}

const argumentForms = { list: ["array"], text: ["string"], both: ["array", "string"] } as const;

function section(title: string, settings: Readonly<Record<string, Value>>): readonly string[] {
  const lines = Object.entries(settings).flatMap(([key, value]) => setting(key, value));
  return ["", `[${title}]`, ...lines];
}

/** Strings of JSON are strings of TOML. */
function setting(key: string, value: Value): readonly string[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return [`${key} = [${value.map((each) => JSON.stringify(each)).join(", ")}]`];
  if (typeof value !== "object") return [`${key} = ${JSON.stringify(value)}`];
  return Object.entries(value).map(
    ([pattern, label]) => `${key}.${JSON.stringify(pattern)} = ${JSON.stringify(label)}`,
  );
}

/** auditd's note of its plugin. */
export function pluginText(program: string, active: "yes" | "no"): string {
  return [
    head,
    `active = ${active}`,
    "direction = out",
    "type = always",
    "format = string",
    `path = ${program}`,
    `args = --config ${files.settings}`,
    "",
  ].join("\n");
}

/** The rules as a file of rules.d; nothing when there are none. */
export function rulesText({ rules = [] }: Params): string | undefined {
  return rules.length === 0 ? undefined : [head, ...rules, ""].join("\n");
}
