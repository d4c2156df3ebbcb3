import type { Complaint } from "../complaint.ts";
import { entry } from "./entry.ts";

/** What is wrong in the files and flags that a user gives. */
export const usage = {
  SPEC_INVALID: entry<{ complaints: readonly Complaint[]; mend: string }>({
    exit: 2,
    say: ({ complaints }) => complaints.map(({ what }) => what).join("\n"),
    mend: ({ mend }) => mend,
  }),
  USAGE: entry<{ what: string; mend: string }>({
    exit: 2,
    say: ({ what }) => what,
    mend: ({ mend }) => mend,
  }),
  TEMPLATE_FAILED: entry<{ template: string; reason: string }>({
    exit: 2,
    say: ({ template, reason }) => `Cannot fill template "${template}": ${reason}`,
    mend: ({ template }) => `Correct templates/${template}.hbs or the variables the use gives it`,
  }),
  SECRET_UNAVAILABLE: entry<{ secret: string; reason: string; mend: string }>({
    exit: 2,
    say: ({ secret, reason }) => `Cannot take a secret from ${secret}: ${reason}`,
    mend: ({ mend }) => mend,
  }),
  SETTING_INVALID: entry<{ name: string; wanted: string; got: string }>({
    exit: 2,
    say: ({ name, wanted, got }) => `Cannot accept ${name}: must be ${wanted}, is "${got}"`,
    mend: ({ name }) => `Correct or unset ${name} in the environment`,
  }),
} as const;
