import type { TSchema } from "typebox";

import type { Task } from "../core/task.ts";
import { hostSchema } from "./host-schema.ts";
import { imageSpecSchema } from "./image-spec.ts";
import { whenSchema } from "./read-uses.ts";

/** The JSON Schema of an image spec with every task's parameters, for editors. */
export function editorSchema(tasks: readonly Task[]): object {
  return withTasks("Image spec of provision", imageSpecSchema, tasks);
}

/** The JSON Schema of a host's file and of defaults.yaml, with every task's parameters, for editors. */
export function hostEditorSchema(tasks: readonly Task[]): object {
  return withTasks("Host of provision", hostSchema, tasks);
}

function withTasks(
  title: string,
  schema: TSchema & { readonly properties: { readonly tasks: TSchema } },
  tasks: readonly Task[],
): object {
  const entries = tasks.map((task) => [task.name, { ...task.schema, description: task.summary }] as const);
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title,
    ...schema,
    properties: {
      ...schema.properties,
      tasks: {
        ...schema.properties.tasks,
        items: {
          type: "object",
          additionalProperties: false,
          properties: {
            ...Object.fromEntries(entries),
            when: whenSchema,
            note: { type: "string", description: "Words for who reads the spec" },
          },
          oneOf: tasks.map(({ name }) => ({ required: [name] })),
        },
      },
    },
  };
}
