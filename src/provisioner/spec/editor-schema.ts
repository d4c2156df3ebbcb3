import type { Task } from "../core/task.ts";
import { imageSpecSchema } from "./image-spec.ts";
import { whenSchema } from "./read-uses.ts";

/** The JSON Schema of an image spec with every task's parameters, for editors. */
export function editorSchema(tasks: readonly Task[]): object {
  const { properties } = imageSpecSchema;
  const entries = tasks.map(
    ({ name, summary, schema }) => [name, { ...schema, description: summary }] as const,
  );
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Image spec of provision",
    ...imageSpecSchema,
    properties: {
      ...properties,
      tasks: {
        ...properties.tasks,
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
