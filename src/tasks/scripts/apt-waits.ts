import { Type } from "../../provisioner/core/schema.ts";

/** What a task that installs packages lets a use say of apt's lists and locks; the script gets it by `waitWords`. */
export const aptWaits = {
  listsHours: Type.Optional(
    Type.Number({
      minimum: 0,
      default: 24,
      description: "How old the lists of packages may be when something is installed",
    }),
  ),
  lockSeconds: Type.Optional(
    Type.Integer({
      minimum: 0,
      default: 600,
      description: "How long to wait while another program works on packages",
    }),
  ),
};

/** The first arguments of `provision-apt`: seconds to wait for locks, and the age of lists in minutes. */
export function waitWords({
  lockSeconds = 600,
  listsHours = 24,
}: {
  readonly lockSeconds?: number | undefined;
  readonly listsHours?: number | undefined;
}): readonly [string, string] {
  return [String(lockSeconds), String(Math.round(listsHours * 60))];
}
