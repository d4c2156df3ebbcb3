import { Type } from "typebox";
import type { TSchema } from "typebox";
import { describe, expect, it } from "vitest";

import { showPath } from "../../src/provisioner/spec/show-value.ts";
import { createCheck } from "../../src/provisioner/spec/validate.ts";

const closed = { additionalProperties: false };

const thing = Type.Object(
  {
    key: Type.String({ minLength: 1 }),
    mode: Type.Optional(Type.String({ pattern: "^[0-7]{4}$" })),
    state: Type.Optional(Type.Union([Type.Literal("present"), Type.Literal("absent")])),
    count: Type.Optional(Type.Integer({ minimum: 1, maximum: 9 })),
    names: Type.Optional(Type.Array(Type.String(), { uniqueItems: true, minItems: 1 })),
    either: Type.Optional(Type.Union([Type.String(), Type.Array(Type.String())])),
  },
  closed,
);

const content = Type.Union([
  Type.Object({ path: Type.String(), content: Type.String() }, closed),
  Type.Object(
    { path: Type.String(), template: Type.String(), variables: Type.Record(Type.String(), Type.Unknown()) },
    closed,
  ),
  Type.Object({ path: Type.String(), source: Type.String() }, closed),
]);

function problems(schema: TSchema, value: unknown): string[] {
  return createCheck()(value, schema, ["tasks", 3, "x"]).map(
    ({ path, says }) => `${showPath(path)}: ${says}`,
  );
}

/** A branch that only says which keys there must be. */
function given(...required: string[]) {
  return { required, properties: Object.fromEntries(required.map((key) => [key, {}])) };
}

describe("createCheck", () => {
  it("finds nothing wrong with what is right", () => {
    expect(problems(thing, { key: "a", mode: "0644", state: "absent", count: 3, either: ["b"] })).toEqual([]);
    expect(problems(content, { path: "/a", source: "b" })).toEqual([]);
  });

  it.each([
    [{ key: 5 }, "tasks[3].x.key: must be text (in quotes), is 5"],
    [{ key: "" }, 'tasks[3].x.key: must not be empty, is ""'],
    [{ kye: "a", key: "b" }, 'tasks[3].x.kye: must be "key", is "kye"'],
    [{}, 'tasks[3].x: must have "key", has nothing'],
    [{ mode: "0644" }, 'tasks[3].x: must have "key", has "mode"'],
    [{ key: "a", mode: 644 }, "tasks[3].x.mode: must be text (in quotes), is 644"],
    [{ key: "a", mode: "644" }, 'tasks[3].x.mode: must be four octal digits ("0644"), is "644"'],
    [{ key: "a", count: 0 }, "tasks[3].x.count: must be 1 or more, is 0"],
    [{ key: "a", count: 1.5 }, "tasks[3].x.count: must be a whole number, is 1.5"],
    [{ key: "a", names: [] }, "tasks[3].x.names: must not be empty, is a list"],
    [
      { key: "a", names: ["b", "b"] },
      "tasks[3].x.names: must hold each entry once (0 and 1 are the same), is a list",
    ],
    [{ key: "a", names: ["b", 7] }, "tasks[3].x.names[1]: must be text (in quotes), is 7"],
    [{ key: null }, "tasks[3].x.key: must be text, is empty"],
    [[], "tasks[3].x: must be a mapping, is a list"],
  ])("says what is wanted and what is there: %j", (value, expected) => {
    expect(problems(thing, value)).toEqual([expected]);
  });

  it("lists every known key when none is near the given one", () => {
    const [problem] = problems(thing, { key: "a", zzzzzz: 1 });

    expect(problem).toBe(
      'tasks[3].x.zzzzzz: must be "key", "mode", "state", "count", "names" or "either", is "zzzzzz"',
    );
  });

  it("reports all that is wrong, not the first of it", () => {
    expect(problems(thing, { kye: 1, mode: 5, count: 99 })).toHaveLength(4);
  });

  it.each([
    [
      thing,
      { key: "a", state: "presnt" },
      ['tasks[3].x.state: must be "present" or "absent" (nearest: "present"), is "presnt"'],
    ],
    [thing, { key: "a", either: 5 }, ["tasks[3].x.either: must be text or a list, is 5"]],
    [thing, { key: "a", either: ["b", 5] }, ["tasks[3].x.either[1]: must be text (in quotes), is 5"]],
    [
      content,
      { path: "/a" },
      ['tasks[3].x: must have "content", "template", "variables" or "source", has "path"'],
    ],
    [content, { path: "/a", source: 5 }, ["tasks[3].x.source: must be text (in quotes), is 5"]],
    [
      content,
      { path: "/a", template: "t", variabels: {} },
      [
        'tasks[3].x: must have "variables", has "path", "template", "variabels"',
        'tasks[3].x.variabels: must be "variables", is "variabels"',
      ],
    ],
    [content, "text", ['tasks[3].x: must be a mapping, is "text"']],
  ] as const)("speaks of the form of a union that was meant: %#", (schema, value, expected) => {
    expect(problems(schema, value)).toEqual(expected);
  });

  it.each([
    [{}, 'tasks[3].x: must have "device" and "type", or state "absent", has nothing'],
    [{ state: "present" }, 'tasks[3].x: must have "device" and "type", or state "absent", has "state"'],
    [{ device: "a" }, 'tasks[3].x: must have "device" and "type", or state "absent", has "device"'],
  ])("says the keys a mapping must have in one complaint: %j", (value, expected) => {
    const state = Type.Union([Type.Literal("present"), Type.Literal("absent")]);
    const schema = Type.Object(
      {
        device: Type.Optional(Type.String()),
        type: Type.Optional(Type.String()),
        state: Type.Optional(state),
      },
      {
        ...closed,
        anyOf: [given("device", "type"), { required: ["state"], properties: { state: { const: "absent" } } }],
      },
    );

    expect(problems(schema, value)).toEqual([expected]);
    expect(problems(schema, { device: "a", type: "b" })).toEqual([]);
    expect(problems(schema, { state: "absent" })).toEqual([]);
  });

  it("names the keys of which only one may be given, and those that need another", () => {
    const schema = Type.Object(
      { a: Type.Optional(Type.String()), b: Type.Optional(Type.String()), c: Type.Optional(Type.String()) },
      { ...closed, oneOf: [given("a"), given("b")], dependentRequired: { c: ["b"] } },
    );

    expect(problems(schema, { a: "1", b: "2" })).toEqual([
      'tasks[3].x: must have only one of "a" or "b", has "a" and "b"',
    ]);
    expect(problems(schema, { a: "1", c: "2" })).toEqual([
      'tasks[3].x: must have "b" beside "c", has "a", "c"',
    ]);
  });

  it("keeps the complaints about two list entries with unions apart", () => {
    const list = Type.Array(Type.Union([Type.Literal("a"), Type.Literal("b")]));

    expect(problems(list, ["c", "a", 5])).toEqual([
      'tasks[3].x[0]: must be "a" or "b" (nearest: "a"), is "c"',
      "tasks[3].x[2]: must be text, is 5",
    ]);
  });

  it("asks the caller about texts of a format", () => {
    const check = createCheck({
      template: (name) => (name === "motd" ? undefined : `must be "motd", is "${name}"`),
    });
    const schema = Type.Object({ template: Type.String({ format: "template" }) }, closed);

    expect(check({ template: "motd" }, schema, [])).toEqual([]);
    expect(check({ template: "modt" }, schema, [])).toEqual([
      { path: ["template"], part: "value", says: 'must be "motd", is "modt"' },
    ]);
  });
});
