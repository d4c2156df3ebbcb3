import { createHash } from "node:crypto";

import { days, daysBetween } from "./age.ts";
import { trailer } from "./push-pins.ts";
import type { Failed, Renewals } from "./renew-tools.ts";
import type { Renewal, RenewedFile } from "./renewal.ts";

/** GitHub takes 65536. */
const mostCharacters = 60_000;

/** The branch of a run: always the same for all tools, and for the same few. */
export function branchName(tools: readonly string[]): string {
  if (tools.length === 0) return "bump/tools";
  const names = tools.toSorted().join("-");
  if (names.length <= 60 && !names.includes("..") && !/\.(lock)?$/.test(names)) return `bump/${names}`;
  return `bump/${createHash("sha256").update(names).digest("hex").slice(0, 12)}`;
}

/** "Bump bat to 0.26.1", "Bump bat, fd and jq", "Bump 7 tools". */
export function titleOf(changed: readonly Renewal[]): string {
  const names = changed.map(({ tool }) => tool);
  const [first] = changed;
  if (first && changed.length === 1) return `Bump ${first.tool} to ${first.version}`;
  if (names.length > 4) return `Bump ${names.length} tools`;
  return `Bump ${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** The commit's message; the same for the same changes, whenever it is made. */
export function messageOf(changed: readonly Renewal[]): string {
  const lines = changed.map(({ tool, pinned, version, state }) =>
    state === "republished" ? `${tool} ${version}: published again` : `${tool} ${pinned} to ${version}`,
  );
  return `${[titleOf(changed), "", ...lines, "", trailer].join("\n")}\n`;
}

/** What a reviewer wants to know: how old, how the digests were had, how much larger, who uploaded, which licence. */
export function bodyOf({ renewals, failed }: Renewals, now: number): string {
  const changed = renewals.filter(({ edits }) => edits.length > 0);
  const waiting = renewals.flatMap(({ tool, notes }) => notes.map((note) => `- ${tool}: ${plain(note)}`));
  const text = [
    "| Tool | Pinned | New | Released | Digest | License |",
    "| --- | --- | --- | --- | --- | --- |",
    ...changed.map((renewal) => row(renewal, now)),
    "",
    ...changed.flatMap((renewal) => [`**${renewal.tool}**`, "", ...renewal.files.map(fileLine), ""]),
    "Licenses are those of versions.yaml: look whether a release changed its own. A digest by `asset` is what the " +
      "release API states, by `checksums` what upstream's list says, `downloaded` was hashed where this ran.",
    ...section("Waiting or held", waiting),
    ...section("Not renewed", failed.map(failedLine)),
  ].join("\n");
  return text.length <= mostCharacters ? text : `${text.slice(0, mostCharacters)}\n\n(cut: too long)`;
}

function row(renewal: Renewal, now: number): string {
  const { tool, pinned, version, publishedAt, link, files, license, state } = renewal;
  const released =
    publishedAt === undefined
      ? "unknown"
      : `${new Date(publishedAt).toISOString().slice(0, 10)}, ${days(daysBetween(publishedAt, now))} ago`;
  const origins = [...new Set(files.map(({ origin }) => origin))].join("; ");
  const shown = state === "republished" ? `${version} (published again)` : version;
  const cells = [tool, pinned, linked(shown, link), released, origins, license ?? "unknown"];
  return `| ${cells.map((cell) => cell.replaceAll("|", String.raw`\|`)).join(" | ")} |`;
}

function fileLine({ name, architecture, found, origin, asset, oldSize }: RenewedFile): string {
  const by = asset?.uploader === undefined ? "" : `, uploaded by ${plain(asset.uploader)}`;
  const at = asset?.uploadedAt === undefined ? "" : ` at ${new Date(asset.uploadedAt).toISOString()}`;
  const size = asset?.size === undefined ? "" : `, ${sizeWords(asset.size, oldSize)}`;
  return `- ${plain(name)} (${architecture}): ${origin} \`${found}\`${size}${by}${at}`;
}

function sizeWords(size: number, old: number | undefined): string {
  const mib = `${(size / 1024 ** 2).toFixed(1)} MiB`;
  if (old === undefined || old === 0) return mib;
  const change = ((size - old) / old) * 100;
  return `${mib} (${change >= 0 ? "+" : ""}${change.toFixed(0)} %)`;
}

function failedLine({ tool, error }: Failed): string {
  return `- ${tool}: ${plain(error.message)}`;
}

function section(heading: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ["", `### ${heading}`, "", ...lines];
}

function linked(text: string, url: string | undefined): string {
  return url !== undefined && /^https?:\/\/[^\s()<>|\\]+$/.test(url) ? `[${text}](${url})` : text;
}

/** Foreign text in a span of code: it mentions nobody, links nowhere and formats nothing. */
function plain(text: string): string {
  // eslint-disable-next-line no-control-regex
  const line = text.replaceAll(/[`\u0000-\u001F\u007F]+/g, " ").trim();
  return `\`${line.slice(0, 500)}\``;
}
