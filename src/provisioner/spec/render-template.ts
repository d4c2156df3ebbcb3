import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

import type Handlebars from "handlebars";

import { ProvisionError } from "../core/errors.ts";
import type { RenderTemplate } from "../core/templates.ts";
import { nearestName } from "./nearest-name.ts";

type Fill = (variables: Readonly<Record<string, unknown>>) => string;

/**
 * Fills the templates of a folder: `renderer("/…/templates")("domain.xml", {…})` fills domain.xml.hbs. What the
 * folder lacks is looked for in `shipped`. A variable that is missing is an error. XML is escaped, everything else is taken as it is.
 */
export function templateRenderer(
  directory: string,
  defaults: Readonly<Record<string, unknown>> = {},
  shipped: string = directory,
): RenderTemplate {
  const filled = new Map<string, Fill>();
  return (name, variables) => {
    try {
      let fill = filled.get(name);
      if (fill === undefined) filled.set(name, (fill = compile([directory, shipped], name)));
      return fill({ ...defaults, ...variables });
    } catch (error) {
      if (error instanceof ProvisionError) throw error;
      const reason = explain(error);
      throw new ProvisionError("TEMPLATE_FAILED", { template: name, reason }, { cause: error });
    }
  };
}

/** Names of the templates in a folder, with their subfolders: `base/fstab`. */
export function templateNames(directory: string): readonly string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".hbs"))
    .map((file) => file.slice(0, -".hbs".length))
    .toSorted();
}

function compile(directories: readonly [string, string], name: string): Fill {
  // Loaded at the first template: most specs have none.
  const engine = (createRequire(import.meta.url)("handlebars") as typeof Handlebars).create();
  for (const [helper, work] of Object.entries(helpers)) engine.registerHelper(helper, work);
  return engine.compile(read(directories, name), {
    strict: true,
    noEscape: !name.endsWith(".xml"),
    // An unknown helper is then found when the template is read, not when its branch is first taken.
    knownHelpersOnly: true,
    knownHelpers: Object.fromEntries(Object.keys(helpers).map((helper) => [helper, true])),
  }) as Fill;
}

function read([directory, shipped]: readonly [string, string], name: string): string {
  try {
    const own = join(directory, `${name}.hbs`);
    return readFileSync(existsSync(own) ? own : join(shipped, `${name}.hbs`), "utf8");
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code !== "ENOENT" && code !== "ENOTDIR" && code !== "EISDIR") throw error;
    const nearest = nearestName(name, templateNames(directory));
    const hint = nearest === undefined ? "" : ` (nearest: "${nearest}")`;
    throw new ProvisionError(
      "TEMPLATE_FAILED",
      { template: name, reason: `it must be a file in ${directory}, is missing${hint}` },
      { cause: error },
    );
  }
}

/** Strict mode does not look at the arguments of helpers; these do. */
const helpers = {
  /** A value as JSON: also a YAML scalar with the right quotes. */
  json: (value: unknown, options: unknown): string => JSON.stringify(given("json", value, options)),
  /** The entries of a list, with a text between them. */
  join: (list: unknown, between: unknown, options: unknown): string => {
    const entries = given("join", list, options);
    if (!Array.isArray(entries)) throw new TypeError("`join` must get a list, gets something else");
    return entries.map(String).join(String(between));
  },
};

/** Handlebars adds an argument of its own, so a helper called with nothing sees only that. */
function given(helper: string, value: unknown, options: unknown): unknown {
  if (value === undefined || options === undefined) {
    throw new TypeError(`\`${helper}\` must get a value, gets none: its variable is missing`);
  }
  return value;
}

/** Handlebars speaks of "[object Object]"; the reader wants the name of the variable. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const missing = /^"(.+)" not defined in .* - (\d+):(\d+)$/s.exec(error.message);
  if (missing)
    return `variable "${missing[1]}" must be given, is missing (line ${missing[2]}, column ${Number(missing[3]) + 1})`;
  const helper = /unknown helper (\S+) - (\d+):(\d+)$/.exec(error.message);
  if (helper)
    return `helper "${helper[1]}" must be one of ${Object.keys(helpers).join(", ")}, if, each, unless, with (line ${helper[2]})`;
  return error.message.split("\n").join(" ");
}
