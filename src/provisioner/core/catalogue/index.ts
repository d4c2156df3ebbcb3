import { archives } from "./archives.ts";
import { bases } from "./bases.ts";
import { downloads } from "./downloads.ts";
import { engine } from "./engine.ts";
import { hosts } from "./hosts.ts";
import { images } from "./images.ts";
import { libvirt } from "./libvirt.ts";
import { login } from "./login.ts";
import { maintenance } from "./maintenance.ts";
import { pins } from "./pins.ts";
import { ssh } from "./ssh.ts";
import { thisMachine } from "./this-machine.ts";
import { tools } from "./tools.ts";
import { usage } from "./usage.ts";

/**
 * Every error a user can meet. Codes last for ever.
 * Exit: 2 spec or usage · 4 host · 5 command · 6 not settled · 7 locked · 130 stopped.
 */
export const catalogue = {
  ...usage,
  ...engine,
  ...ssh,
  ...login,
  ...libvirt,
  ...bases,
  ...images,
  ...downloads,
  ...pins,
  ...archives,
  ...tools,
  ...hosts,
  ...maintenance,
  ...thisMachine,
} as const;
