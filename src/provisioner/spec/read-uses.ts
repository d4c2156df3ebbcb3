import { canBothApply, distributionNames, type When } from "../core/distribution.ts";
import type { Complaint } from "../core/errors.ts";
import type { Recipe, Use } from "../core/recipe.ts";
import { Type } from "../core/schema.ts";
import type { Task } from "../core/task.ts";
import { nearestName } from "./nearest-name.ts";
import type { Path, YamlFile } from "./read-yaml.ts";
import type { Problem } from "./read-union.ts";
import { showValue } from "./show-value.ts";
import { complain } from "./validate.ts";
import type { Check } from "./validate.ts";

/** The keys of an entry that are no task: words for the reader of the spec, and the machines it is meant for. */
const noteKey = "note";
const whenKey = "when";

/** What an entry may say beside its task about where it applies. */
export const whenSchema = Type.Object(
  {
    distribution: Type.Array(Type.Union(distributionNames.map((name) => Type.Literal(name))), {
      minItems: 1,
      uniqueItems: true,
      description: "On these the use applies: a release, or a distribution for all its releases",
    }),
  },
  { additionalProperties: false, description: "The machines it is meant for; all when left out" },
);

/** The uses in one file, and what is wrong with the others. */
export function readUses(
  yaml: YamlFile,
  tasks: readonly Task[],
  check: Check,
): { readonly recipe: Recipe; readonly complaints: readonly Complaint[] } {
  const entries = (yaml.value as { tasks?: unknown } | null | undefined)?.tasks;
  if (!Array.isArray(entries)) return { recipe: [], complaints: [] };
  const recipe: Use[] = [];
  const problems: Problem[] = [];
  for (const [index, entry] of entries.entries()) {
    const path = ["tasks", index];
    const found = readUse(entry, path, tasks, check);
    problems.push(...found.problems);
    if (found.use === undefined) continue;
    const { task, params, when } = found.use;
    const id = `${task.name} ${task.subject(params)}`;
    const where = yaml.where([...path, task.name], "key");
    recipe.push({ id, task, params, where, ...(when && { when }) });
  }
  return { recipe, complaints: complain(yaml, problems) };
}

/** Two uses of one subject, or of one path, on one machine would undo each other for ever. */
export function sharedSubjects(recipe: Recipe): readonly Complaint[] {
  const subjects = new Map<string, Use[]>();
  const owners = new Map<string, Use[]>();
  return recipe.flatMap((use) => {
    const same = claim(subjects, use.id, use);
    if (same !== undefined) {
      return [complaint(use, `Cannot use ${use.id} twice: must be used once, is used at ${place(same)} too`)];
    }
    return (use.task.owns?.(use.params) ?? []).flatMap((path) => {
      const other = claim(owners, path, use);
      if (other === undefined) return [];
      const must = `"${path}" must be one use's alone, is that of ${other.id} at ${place(other)} too`;
      return [complaint(use, `Cannot use ${use.id}: ${must}`)];
    });
  });
}

/** Gives the use that has it already on some machine where this one applies too; else it is this one's. */
function claim(taken: Map<string, Use[]>, what: string, use: Use): Use | undefined {
  const holders = taken.get(what) ?? [];
  const other = holders.find(({ when }) => canBothApply(when, use.when));
  if (other === undefined) taken.set(what, [...holders, use]);
  return other;
}

function complaint({ where }: Use, what: string): Complaint {
  return { where, what };
}

function place({ where: { file, line, column } }: Use): string {
  return `${file}:${line}:${column}`;
}

interface Found {
  readonly use?: Pick<Use, "task" | "params" | "when">;
  readonly problems: readonly Problem[];
}

function readUse(entry: unknown, path: Path, tasks: readonly Task[], check: Check): Found {
  // An entry that is no mapping is the schema's to complain about.
  if (typeof entry !== "object" || entry === null || Array.isArray(entry)) return { problems: [] };
  const values = entry as Readonly<Record<string, unknown>>;
  const problems = noteProblems(values[noteKey], path);
  const when = whenKey in values ? values[whenKey] : undefined;
  if (whenKey in values) problems.push(...check(when, whenSchema, [...path, whenKey]));
  const names = Object.keys(values).filter((name) => name !== noteKey && name !== whenKey);
  const unknown = names.filter((name) => !tasks.some((task) => task.name === name));
  if (unknown.length > 0) {
    return { problems: [...problems, ...unknown.map((name) => unknownTask(name, path, tasks))] };
  }
  const [name, ...more] = names;
  const task = tasks.find((candidate) => candidate.name === name);
  if (name === undefined || task === undefined)
    return { problems: [...problems, wrongCount("has none", path)] };
  if (more.length > 0) return { problems: [...problems, wrongCount(`has ${names.join(" and ")}`, path)] };
  const params = values[name] ?? {};
  problems.push(...check(params, task.schema, [...path, name]));
  if (problems.length > 0) return { problems };
  return { use: { task, params, ...(whenKey in values && { when: when as When }) }, problems };
}

function noteProblems(note: unknown, path: Path): Problem[] {
  if (note === undefined || typeof note === "string") return [];
  return [{ path: [...path, noteKey], part: "value", says: `must be text, is ${showValue(note)}` }];
}

function wrongCount(has: string, path: Path): Problem {
  return { path, part: "value", says: `must have one task, ${has}` };
}

function unknownTask(name: string, path: Path, tasks: readonly Task[]): Problem {
  const names = tasks.map((task) => task.name);
  const nearest = nearestName(name, [...names, whenKey, noteKey]);
  const must =
    nearest === undefined ? `must be a task (${names.join(", ")})` : `must be a task (nearest: "${nearest}")`;
  return { path: [...path, name], part: "key", says: `${must}, is "${name}"` };
}
