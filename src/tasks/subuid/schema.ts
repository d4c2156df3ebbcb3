import type { Static } from "typebox";

import { Type } from "../../provisioner/core/schema.ts";
import { accountName, exactlyOne } from "../../provisioner/core/task.ts";

/** Below are the machine's own users; above, no number is left. */
const subordinate = { minimum: 65_536, maximum: 4_294_967_294 };

const count = { minimum: 1, maximum: 4_294_901_759 };

/** What `subuid` takes. */
export const schema = Type.Object(
  {
    user: Type.Optional(Type.String({ pattern: accountName, description: "Login name of who gets a range" })),
    start: Type.Optional(
      Type.Integer({
        ...subordinate,
        description: "First number of the range; left out: kept, or the first that is free",
      }),
    ),
    count: Type.Optional(
      Type.Integer({ ...count, default: 65_536, description: "How many numbers the range has" }),
    ),
    newUsers: Type.Optional(
      Type.Object(
        {
          count: Type.Integer({ ...count, description: "How many numbers useradd gives to each new user" }),
          min: Type.Optional(
            Type.Integer({ ...subordinate, description: "First number it may give; left out: kept" }),
          ),
          max: Type.Optional(
            Type.Integer({ ...subordinate, description: "Last number it may give; left out: kept" }),
          ),
        },
        {
          additionalProperties: false,
          description: "A template for users that come later, in /etc/login.defs: an image has none",
        },
      ),
    ),
  },
  {
    additionalProperties: false,
    ...exactlyOne("user", "newUsers"),
    dependentRequired: { start: ["user"], count: ["user"] },
  },
);

/** A use's parameters. */
export type Params = Static<typeof schema>;
