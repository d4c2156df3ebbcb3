import type { Task } from "../core/task.ts";
import { choiceWords, conditionWords } from "../spec/condition-words.ts";
import { showYaml } from "../spec/show-yaml.ts";

/** A parameter of a task, as its page lists it. */
export interface ParameterRow {
  /** With the parameters around it: `entry.options[]`. */
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly fallback: string | undefined;
  readonly description: string;
}

/** What a page about a task says, for the terminal and for the docs. */
export interface TaskPage {
  readonly name: string;
  readonly summary: string;
  readonly parameters: readonly ParameterRow[];
  /** Rules between parameters: `exactly one of content, template, source`. */
  readonly rules: readonly string[];
  readonly examples: readonly { readonly title: string; readonly yaml: string }[];
}

/** A JSON Schema, as far as it is read here; spread, one with typebox's types is such a one. */
export type Schema = Readonly<Record<string, unknown>>;

/** The page of a task, read from its schema and examples. */
export function taskPage(task: Task): TaskPage {
  const schema: Schema = { ...task.schema };
  return {
    name: task.name,
    summary: task.summary,
    parameters: parameterRows(schema),
    rules: rulesOf(schema, ""),
    examples: task.examples.map(({ title, params }) => ({
      title,
      yaml: showYaml([{ [task.name]: params }]),
    })),
  };
}

/** The keys of a mapping, with those of the mappings in it. */
export function parameterRows(schema: Schema, prefix = ""): readonly ParameterRow[] {
  const required = (schema["required"] as readonly string[] | undefined) ?? [];
  return Object.entries(properties(schema)).flatMap(([key, value]) => {
    const name = `${prefix}${key}`;
    const items = value["items"] as Schema | undefined;
    const row = {
      name,
      type: typeName(value),
      required: required.includes(key),
      fallback: "default" in value ? JSON.stringify(value["default"]) : undefined,
      description: oneLine(value["description"]),
    };
    const below =
      items && Object.keys(properties(items)).length > 0 ? parameterRows(items, `${name}[].`) : [];
    return [row, ...parameterRows(value, `${name}.`), ...below];
  });
}

function properties(schema: Schema): Readonly<Record<string, Schema>> {
  return (schema["properties"] as Record<string, Schema> | undefined) ?? {};
}

function oneLine(text: unknown): string {
  return typeof text === "string" ? text.replaceAll(/\s+/g, " ") : "";
}

function typeName(schema: Schema): string {
  const union = (schema["anyOf"] ?? schema["oneOf"]) as readonly Schema[] | undefined;
  if (union && schema["type"] === undefined) return [...new Set(union.map(typeName))].join(" or ");
  if ("const" in schema) return JSON.stringify(schema["const"]);
  const values = schema["enum"] as readonly unknown[] | undefined;
  if (values) return values.map((value) => JSON.stringify(value)).join(" or ");
  const items = schema["items"] as Schema | undefined;
  switch (schema["type"]) {
    case "string":
      return "text";
    case "integer":
      return "whole number";
    case "boolean":
      return "true or false";
    case "array":
      return items?.["type"] === "object"
        ? "list of mappings"
        : `list of ${items ? typeName(items) : "anything"}`;
    case "object":
      return "mapping";
    default:
      return typeof schema["type"] === "string" ? schema["type"] : "anything";
  }
}

/** The rules of a schema and of the mappings in it. */
function rulesOf(schema: Schema, name: string): readonly string[] {
  const own = [...keyRules(schema), ...dependencyRules(schema)].map((rule) =>
    name ? `${name}: ${rule}` : rule,
  );
  const below = Object.entries(properties(schema)).flatMap(([key, value]) =>
    rulesOf(value, name ? `${name}.${key}` : key),
  );
  return [...own, ...below];
}

/** `oneOf` and `anyOf` over required keys are rules about which parameters are given. */
function keyRules(schema: Schema): readonly string[] {
  const rules = (["oneOf", "anyOf"] as const).flatMap((keyword) => {
    const branches = schema[keyword] as readonly Schema[] | undefined;
    const words = choiceWords(branches);
    if (words === undefined) return [];
    const several = keyword === "anyOf" && !words.includes(" and ");
    return [`${several ? "one or more of" : keyword === "oneOf" ? "exactly one of" : "either"} ${words}`];
  });
  const refused = conditionWords((schema["not"] as Schema | undefined) ?? {});
  return refused === undefined ? rules : [...rules, `not ${refused} together`];
}

function dependencyRules(schema: Schema): readonly string[] {
  const rules = (schema["dependencies"] ?? schema["dependentRequired"] ?? {}) as Record<string, unknown>;
  return Object.entries(rules).flatMap(([key, needs]) =>
    Array.isArray(needs) ? [`"${key}" only with ${needs.map((need) => `"${String(need)}"`).join(", ")}`] : [],
  );
}

/** The page for a terminal. */
export function pageText(page: TaskPage): string {
  const width = Math.max(...page.parameters.map(({ name }) => name.length), 0);
  const rows = page.parameters.flatMap(({ name, type, required, fallback, description }) => {
    const extra = required ? " (required)" : fallback === undefined ? "" : ` (default ${fallback})`;
    return [
      `  ${name.padEnd(width)}  ${type}${extra}`,
      ...(description ? [`  ${" ".repeat(width)}  ${description}`] : []),
    ];
  });
  const examples = page.examples.flatMap(({ title, yaml }) => ["", `  # ${title}`, ...indented(yaml)]);
  return [
    page.name,
    `  ${page.summary}`,
    "",
    "Parameters:",
    ...rows,
    ...page.rules.map((rule) => `  ${rule}`),
    "",
    "Examples:",
    ...examples.slice(1),
  ].join("\n");
}

function indented(text: string): readonly string[] {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => (line === "" ? "" : `  ${line}`));
}

/** The page for the docs. */
export function pageMarkdown(page: TaskPage): string {
  return [
    `## ${page.name}`,
    "",
    page.summary,
    "",
    ...parameterTable("Parameter", page.parameters),
    "",
    ...(page.rules.length > 0 ? [`Rules: ${page.rules.join("; ")}.`, ""] : []),
    ...page.examples.flatMap(({ title, yaml }) => [`${title}:`, "", "```yaml", yaml.trimEnd(), "```", ""]),
  ].join("\n");
}

/** Parameters as a table of Markdown. */
export function parameterTable(heading: string, parameters: readonly ParameterRow[]): readonly string[] {
  const rows = parameters.map(({ name, type, required, fallback, description }) => {
    const note = required ? "required" : fallback === undefined ? "" : `\`${fallback}\``;
    return `| \`${name}\` | ${cell(type)} | ${cell(note)} | ${cell(description)} |`;
  });
  return [`| ${heading} | Type | Default | Meaning |`, "| --- | --- | --- | --- |", ...rows];
}

/** A bar would end the cell. */
function cell(text: string): string {
  return text.replaceAll("|", String.raw`\|`);
}
