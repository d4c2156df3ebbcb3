import { dirname } from "node:path";
import type { Static } from "typebox";

import { Type } from "../core/schema.ts";
import { ProvisionError } from "../core/errors.ts";
import type { Complaint, Where } from "../core/errors.ts";
import type { Recipe } from "../core/recipe.ts";
import type { Task } from "../core/task.ts";
import type { Formats } from "./formats.ts";
import { mergeSpecs } from "./merge-specs.ts";
import { personalUses } from "./personal.ts";
import { readSpecFiles } from "./read-spec-files.ts";
import type { SpecFile } from "./read-spec-files.ts";
import { readUses, sharedSubjects } from "./read-uses.ts";
import { complain, createCheck } from "./validate.ts";

/** What an image spec may say; the entries of `tasks` are checked task by task. */
export const imageSpecSchema = Type.Object(
  {
    description: Type.Optional(
      Type.String({ minLength: 1, description: "What the image is for, in one sentence" }),
    ),
    includes: Type.Optional(
      Type.Array(Type.String({ pattern: "^[a-z0-9][a-z0-9-]*$" }), {
        uniqueItems: true,
        description: "Specs of the same folder whose tasks run first; one that is reached twice runs once",
      }),
    ),
    base: Type.Optional(
      Type.String({ format: "base", description: "Base image, an entry under `bases` of versions.yaml" }),
    ),
    disk: Type.Optional(
      Type.Object(
        {
          sizeGiB: Type.Optional(
            Type.Integer({
              minimum: 4,
              maximum: 2048,
              description: "Size of the disk; state gets what root leaves",
            }),
          ),
          rootGiB: Type.Optional(
            Type.Integer({
              minimum: 1,
              maximum: 1024,
              description: "What the root file system must have at least; its size is the base's",
            }),
          ),
          stateGiB: Type.Optional(
            Type.Integer({
              minimum: 1,
              maximum: 2048,
              description: "What the state file system must have at least",
            }),
          ),
        },
        {
          additionalProperties: false,
          minProperties: 1,
          description:
            "The image's disk, and the room the tasks need: too little of it is said before anything is built",
        },
      ),
    ),
    builder: Type.Optional(
      Type.Object(
        {
          cpus: Type.Optional(
            Type.Integer({ minimum: 1, maximum: 256, description: "Processors of the machine that builds" }),
          ),
          memoryMiB: Type.Optional(
            Type.Integer({
              minimum: 512,
              maximum: 1_048_576,
              description: "Memory of the machine that builds",
            }),
          ),
        },
        { additionalProperties: false, description: "The throw-away machine the image is built on" },
      ),
    ),
    variables: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description: "Variables for every template of the spec; those a use gives come first",
      }),
    ),
    tasks: Type.Optional(
      Type.Array(Type.Record(Type.String(), Type.Unknown()), {
        description: "What to settle, in this order: one task each, with its parameters",
      }),
    ),
  },
  { additionalProperties: false },
);

/** What one file of a spec says. */
export type SpecText = Static<typeof imageSpecSchema>;

/** An image to be, with everything included and every default filled in. */
export interface ImageSpec {
  readonly name: string;
  readonly description: string | undefined;
  readonly base: string;
  readonly disk: { readonly sizeGiB: number; readonly needs: readonly DiskNeed[] };
  readonly builder: { readonly cpus: number; readonly memoryMiB: number };
  readonly variables: Readonly<Record<string, unknown>>;
}

/** Room that one of the spec's files asks for. */
export interface DiskNeed {
  readonly part: "root" | "state";
  readonly gib: number;
  readonly where: Where;
}

/** A spec that is right in every file. */
export interface LoadedSpec {
  readonly spec: ImageSpec;
  readonly recipe: Recipe;
  /** In the order their tasks run. */
  readonly files: readonly SpecFile[];
  /** Folders in which `source` paths are looked for. */
  readonly sourceDirs: readonly string[];
}

/** What loading a spec needs to know of the project. */
export interface LoadOptions {
  /** The registry: every task a spec can name. */
  readonly tasks: readonly Task[];
  /** Checks of the formats; given the folders `source` paths are looked for in. */
  readonly formats?: (sourceDirs: readonly string[]) => Formats;
  /** Refuse what an image must not hold: users, keys, names, addresses. */
  readonly forImage?: boolean;
  /** A path as people should see it. */
  readonly show?: (path: string) => string;
}

/** Reads the spec at `path`, or says everything that is wrong with it and all it includes, at once. */
export async function loadImageSpec(path: string, options: LoadOptions): Promise<LoadedSpec> {
  const { files, complaints: unreadable } = await readSpecFiles(path, options.show ?? ((file) => file));
  const sourceDirs = [...new Set(files.map((file) => dirname(file.path)))];
  const check = createCheck(options.formats?.(sourceDirs));
  const headers = files.flatMap(({ yaml }) =>
    yaml.complaints.length > 0 ? [] : complain(yaml, check(yaml.value ?? {}, imageSpecSchema, [])),
  );
  const uses = files.map(({ yaml }) => readUses(yaml, options.tasks, check));
  const recipe = uses.flatMap((found) => found.recipe);
  const merged = mergeSpecs(files);
  const complaints = [
    ...unreadable,
    ...headers,
    ...uses.flatMap((found) => found.complaints),
    ...sharedSubjects(recipe),
    ...(options.forImage ? await personalUses(recipe, sourceDirs) : []),
    // A file that cannot be read may be the one that says what is missing.
    ...(unreadable.length + headers.length > 0 ? [] : merged.complaints),
  ];
  if (complaints.length > 0) throw specInvalid(complaints);
  return { spec: merged.spec, recipe, files, sourceDirs };
}

/** One error for all complaints about specs. */
export function specInvalid(complaints: readonly Complaint[]): ProvisionError<"SPEC_INVALID"> {
  const once = [...new Map(complaints.map((complaint) => [line(complaint), complaint])).values()];
  return new ProvisionError(
    "SPEC_INVALID",
    { complaints: once, mend: mendOf(once) },
    once.length === 1 && once[0] ? { where: once[0].where } : {},
  );
}

function mendOf(complaints: readonly Complaint[]): string {
  const [mend] = complaints.flatMap((complaint) => complaint.mend ?? []);
  if (mend !== undefined && complaints.every((complaint) => complaint.mend !== undefined)) return mend;
  const named = new Set(
    complaints.map(({ what }) => /^Cannot accept tasks\[\d+\]\.([a-z][a-z0-9-]*)/.exec(what)?.[1]),
  );
  const [task] = named;
  return named.size === 1 && task !== undefined
    ? `Correct the spec; \`provision tasks ${task}\` shows what it takes`
    : "Correct the spec; `provision tasks` shows what each task takes";
}

function line({ where, what }: Complaint): string {
  return `${where.file}:${where.line}:${where.column} ${what}`;
}
