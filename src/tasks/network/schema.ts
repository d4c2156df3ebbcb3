import type { Static } from "typebox";

import { addressing } from "../../provisioner/core/network-card.ts";
import { interfacePattern, macPattern } from "../../provisioner/core/patterns.ts";
import { Type } from "../../provisioner/core/schema.ts";

const card = Type.Object(
  {
    mac: Type.String({ pattern: macPattern, description: "Hardware address, by which the card is found" }),
    interface: Type.String({ pattern: interfacePattern, description: "Its name on the machine: lan0" }),
    ...addressing,
  },
  { additionalProperties: false },
);

/** What a use may say. */
export const schema = Type.Object(
  {
    cards: Type.Array(card, {
      minItems: 1,
      maxItems: 8,
      description: "All network cards that are to be set up, in the words of `networks` of a host's file",
    }),
  },
  { additionalProperties: false },
);

/** A use's parameters. */
export type Params = Static<typeof schema>;
