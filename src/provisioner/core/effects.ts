import { factKey, type FactRequest } from "./facts.ts";
import { guardPlace } from "./guard.ts";
import type { Action } from "./task.ts";

/**
 * Can this action change the answer to this request? A program can change anything unless it says what it
 * touches; an action on a path changes that path, what lies above and below it, and the facts kept in it.
 */
export function canTouch(action: Action, request: FactRequest): boolean {
  if (action.kind === "run") {
    const { touches } = action;
    return !touches || touches.includes(request.kind) || touches.includes(factKey(request));
  }
  // Arming a guard or ending it changes what lies at its place, and nothing else.
  const path = "path" in action ? action.path : guardPlace(action.name);
  switch (request.kind) {
    case "file":
    case "stat":
    case "digest":
      return related(path, request.about);
    // A program that looks may look at any file.
    case "query":
      return true;
    case "unit":
    case "user":
    case "group":
    case "package":
    case "mount":
    case "sysctl":
    case "module":
      return keptIn[request.kind].some((place) => related(path, place));
    default:
      return request satisfies never;
  }
}

/** Where the facts of a kind are kept; a write there changes them at once. */
const keptIn = {
  unit: ["/etc/systemd", "/run/systemd", "/usr/lib/systemd", "/usr/local/lib/systemd", "/lib/systemd"],
  user: ["/etc/passwd", "/etc/group", "/etc/shadow", "/etc/nsswitch.conf"],
  group: ["/etc/group", "/etc/nsswitch.conf"],
  package: ["/var/lib/dpkg", "/usr/lib/sysimage/dpkg"],
  mount: [],
  sysctl: ["/proc/sys"],
  module: [],
} as const;

/** The same path, or one above the other. */
function related(one: string, other: string): boolean {
  return one === other || one.startsWith(`${other}/`) || other.startsWith(`${one}/`);
}
