import { Type } from "typebox";
import { describe, expect, it } from "vitest";

import { pageMarkdown, pageText, taskPage } from "../../src/provisioner/cli/task-page.ts";
import { defineTask } from "../../src/provisioner/core/task.ts";

const bell = defineTask({
  name: "bell",
  summary: "A bell | or two.",
  schema: Type.Object(
    {
      name: Type.String({ description: "Which\n  bell" }),
      tone: Type.Optional(Type.Union([Type.Literal("low"), Type.Literal("high")], { default: "low" })),
      rope: Type.Optional(
        Type.Object(
          { length: Type.Integer({ description: "In metres" }) },
          { description: "What is pulled" },
        ),
      ),
      hours: Type.Optional(Type.Array(Type.Number(), { description: "When | it rings" })),
    },
    {
      additionalProperties: false,
      anyOf: [{ required: ["rope"] }, { required: ["hours", "tone"] }],
      dependentRequired: { tone: ["hours"] },
    },
  ),
  examples: [{ title: "Ring", params: { name: "big", rope: { length: 3 } } }],
  subject: ({ name }) => name,
  read: async () => undefined,
  plan: () => [],
});

describe("taskPage", () => {
  it("reads parameters, those inside mappings too, from the schema", () => {
    expect(taskPage(bell).parameters).toEqual([
      { name: "name", type: "text", required: true, fallback: undefined, description: "Which bell" },
      { name: "tone", type: '"low" or "high"', required: false, fallback: '"low"', description: "" },
      { name: "rope", type: "mapping", required: false, fallback: undefined, description: "What is pulled" },
      {
        name: "rope.length",
        type: "whole number",
        required: true,
        fallback: undefined,
        description: "In metres",
      },
      {
        name: "hours",
        type: "list of number",
        required: false,
        fallback: undefined,
        description: "When | it rings",
      },
    ]);
  });

  it("says the rules between parameters", () => {
    expect(taskPage(bell).rules).toEqual([
      'either "rope", or "hours" and "tone"',
      '"tone" only with "hours"',
    ]);
  });

  it("shows examples as a spec has them", () => {
    expect(pageText(taskPage(bell))).toContain(
      "  # Ring\n  - bell:\n      name: big\n      rope:\n        length: 3",
    );
  });

  it("keeps bars out of the cells of a table", () => {
    expect(pageMarkdown(taskPage(bell))).toContain("| `hours` | list of number |  | When \\| it rings |");
  });
});
