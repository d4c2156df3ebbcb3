import { type Build, webFiles } from "./builds.ts";
import type { Params } from "./schema.ts";

const DEFAULT_PORT = 9100;

const head = "# By provision; what is changed here by hand is lost.";

/** Where it is asked: a host and a port, for each address that it serves on. */
export function places({ addresses, port = DEFAULT_PORT }: Params): readonly (readonly [string, string])[] {
  const reached = (address: string) => anywhere.get(address) ?? address;
  return (addresses ?? [""]).map((address) => [reached(address), String(port)]);
}

/** Where it is asked that serves everywhere. */
const anywhere: ReadonlyMap<string, string> = new Map([
  ["", "127.0.0.1"],
  ["0.0.0.0", "127.0.0.1"],
  ["::", "::1"],
]);

/** Its flags. They hold no secret: every user of the machine can list them. */
export function flagsOf(params: Params, build: Build): readonly string[] {
  const { addresses = [""], port = DEFAULT_PORT, collectors = {}, options = [] } = params;
  const listen = addresses.map((address) => (address.includes(":") ? `[${address}]` : address));
  return [
    ...listen.map((address) => `--web.listen-address=${address}:${port}`),
    ...(hasWeb(params) ? [`--web.config.file=${webFiles.config}`] : []),
    `--collector.textfile.directory=${params.textfiles ?? build.textfiles}`,
    ...Object.entries(collectors).map(([name, isOn]) => `--${isOn ? "" : "no-"}collector.${name}`),
    ...options,
  ];
}

/** Whether it is spoken to in another way than by plain HTTP without a name. */
export function hasWeb({ tls, readers }: Params): boolean {
  return tls !== undefined || readers !== undefined;
}

/** The file of its flags, for systemd: `VARIABLE="…"`. */
export function settingsText(flags: readonly string[], { variable }: Build): string {
  // Read twice: as a value in double quotes, then as words.
  const value = flags.map(asWord).join(" ");
  return `${head}\n${variable}="${value.replaceAll(/["\\$`]/g, String.raw`\$&`)}"\n`;
}

/** Debian's file as it was; its unit does not start without one. */
export function emptySettings({ variable }: Build): string {
  return `${variable}=""\n`;
}

function asWord(flag: string): string {
  if (/^[\w.,:=@%+/[\]-]*$/.test(flag)) return flag;
  return `'${flag.replaceAll(/['\\]/g, String.raw`\$&`)}'`;
}

/** Flags of the unit's own would count beside these: it would serve on two ports. */
export function dropInText({ program, settings, variable }: Build): string {
  return [
    head,
    "[Service]",
    `EnvironmentFile=${settings}`,
    "ExecStart=",
    `ExecStart=${program} $${variable}`,
    "",
  ].join("\n");
}

/** The exporter toolkit's web configuration; paths are beside it. */
export function webText({ tls, readers = [] }: Params, hashes: readonly string[]): string {
  const lines = [
    head,
    ...(tls ? ["tls_server_config:", "  cert_file: tls.crt", "  key_file: tls.key"] : []),
    ...(readers.length > 0 ? ["basic_auth_users:"] : []),
    ...readers.map(({ name }, at) => `  "${name}": "${hashes[at]}"`),
    "",
  ];
  return lines.join("\n");
}

/** What the web configuration comes to, in words for everybody. */
export function webWords({ tls, readers = [] }: Params): string {
  const names = readers.map(({ name }) => name).join(", ");
  return [...(tls ? ["TLS"] : []), ...(names ? [`for ${names}`] : [])].join(", ");
}
