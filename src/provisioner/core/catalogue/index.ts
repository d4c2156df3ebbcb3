import { artifacts } from "./artifacts.ts";
import { connection } from "./connection.ts";
import { engine } from "./engine.ts";
import { guests } from "./guests.ts";
import { images } from "./images.ts";

/**
 * Every error a user can meet. Codes last for ever.
 * Exit: 2 spec or usage · 4 host · 5 command · 6 not settled · 7 locked · 130 stopped.
 */
export const catalogue = {
  ...engine,
  ...connection,
  ...guests,
  ...images,
  ...artifacts,
} as const;
