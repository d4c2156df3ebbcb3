import { ProvisionError } from "../core/errors.ts";
import { architecturesOf, wordsOf } from "../pins/resolve-tool.ts";
import type { ToolEntry } from "../pins/tool-entry.ts";

/** What a version may look like that is written into versions.yaml, whatever a tag says. */
const safe = /^[0-9A-Za-z][0-9A-Za-z._+-]*$/;

/** Makes a reader of tags: gives the version a tag stands for, or nothing for a tag of something else. */
export function tagReader(name: string, entry: ToolEntry): (tag: string) => string | undefined {
  const pattern =
    entry.bump?.match === undefined
      ? templatePattern(entry.tag ?? "v{version}")
      : givenPattern(name, entry.bump.match);
  const [architecture = "x86_64"] = architecturesOf(entry);
  // The file is later looked for under the tag that the template makes: it must be this very one.
  const mustReturn = entry.bump?.match === undefined || usesReleases(entry);
  return (tag) => {
    const version = pattern.exec(tag)?.groups?.["version"];
    if (version === undefined || !safe.test(version)) return undefined;
    if (mustReturn && wordsOf({ ...entry, version }, architecture)["tag"] !== tag) return undefined;
    return version;
  };
}

/** Whether any file of the tool lies in a release of its repository. */
export function usesReleases(entry: ToolEntry): boolean {
  return [entry, ...(entry.parts ?? [])].some(({ artifact }) => artifact !== undefined);
}

/** "jq-{version}" reads "jq-9.8". The version begins with a digit: a tag called "latest" is none. */
function templatePattern(template: string): RegExp {
  let named = false;
  const pieces = template.split(/(\{[^{}]*\})/).map((piece) => {
    if (piece !== "{version}") return /^\{.*\}$/.test(piece) ? "[0-9A-Za-z._+-]+" : escape(piece);
    if (named) return String.raw`\k<version>`;
    named = true;
    return "(?<version>[0-9][0-9A-Za-z._+-]*)";
  });
  return new RegExp(`^${pieces.join("")}$`);
}

function givenPattern(name: string, match: string): RegExp {
  const wrong = (reason: string) =>
    new ProvisionError("PIN_SOURCE_UNUSABLE", {
      tool: name,
      reason: `bump.match ${reason}`,
      mend: `Correct bump.match of ${name} in versions.yaml: "^release-(?<version>[0-9.]+)$" is one`,
    });
  if (!match.includes("(?<version>")) throw wrong('must have a group named "version", has none');
  try {
    return new RegExp(match);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw wrong(`must be a regular expression, is not: ${error.message}`);
  }
}

function escape(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, String.raw`\$&`);
}
