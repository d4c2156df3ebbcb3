import type { Static } from "typebox";

import { Type } from "../../provisioner/core/schema.ts";
import { absolutePath, atLeastOne } from "../../provisioner/core/task.ts";

/** What `systemd-unit` takes. */
export const schema = Type.Object(
  {
    unit: Type.String({
      pattern:
        "^[a-zA-Z0-9:_.\\\\-]+(@[a-zA-Z0-9:_.\\\\-]*)?\\.(service|socket|timer|path|mount|automount|swap|target|slice)$",
      description: "Name with its suffix: ssh.service, backup@home.timer",
    }),
    dropIn: Type.Optional(
      Type.String({
        pattern: "^[a-zA-Z0-9][a-zA-Z0-9_-]*$",
        description: "The text is a drop-in of this name, beside the unit's own file: <unit>.d/<name>.conf",
      }),
    ),
    content: Type.Optional(
      Type.String({ pattern: "\\S", description: "Text of the unit file or the drop-in" }),
    ),
    template: Type.Optional(
      Type.String({ format: "template", description: "Its text as a template in templates/, without .hbs" }),
    ),
    variables: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), { description: "What the template's names stand for" }),
    ),
    enabled: Type.Optional(Type.Boolean({ description: "Whether it starts at boot; left out: kept" })),
    masked: Type.Optional(
      Type.Boolean({ description: "Whether it is kept from ever starting; left out: kept" }),
    ),
    state: Type.Optional(
      Type.Union([Type.Literal("running"), Type.Literal("stopped"), Type.Literal("ran")], {
        description:
          "running: active, also when it is proved at the end; stopped; ran: a oneshot that succeeded on what it reads now; left out: kept",
      }),
    ),
    steadySeconds: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 600,
        description:
          "How long it must stay active after a start, without a restart, before it counts as running; only a start takes that long",
      }),
    ),
    restartOn: Type.Optional(
      Type.Array(Type.String({ pattern: absolutePath }), {
        minItems: 1,
        uniqueItems: true,
        description: "Files it reads, beside its own: when one is not as at the last start, it is due again",
      }),
    ),
    onChange: Type.Optional(
      Type.Union([Type.Literal("restart"), Type.Literal("reload")], {
        default: "restart",
        description: "What is due when a file it reads changed; its own text always takes a restart",
      }),
    ),
  },
  {
    additionalProperties: false,
    ...atLeastOne("content", "template", "enabled", "masked", "state", "restartOn"),
    dependentRequired: { variables: ["template"] },
  },
);

/** A use's parameters. */
export type Params = Static<typeof schema>;
