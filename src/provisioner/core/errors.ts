import type { Entry } from "./catalogue/entry.ts";
import { catalogue } from "./catalogue/index.ts";
import type { Where } from "./complaint.ts";

export type { Complaint, Where } from "./complaint.ts";

/** A lasting name of an error. */
export type ErrorCode = keyof typeof catalogue;

/** What an error's entry is told. */
export type ErrorFacts<Code extends ErrorCode> = Parameters<(typeof catalogue)[Code]["say"]>[0];

/** The one error class that is meant for users; anything else thrown is a bug and shows its stack. */
export class ProvisionError<Code extends ErrorCode = ErrorCode> extends Error {
  readonly code: Code;
  readonly facts: ErrorFacts<Code>;
  readonly mend: string;
  readonly exitCode: number;
  /** Where in the user's files, or on which machine. */
  readonly where: Where | string | undefined;

  constructor(code: Code, facts: ErrorFacts<Code>, options: ErrorOptions & { where?: Where | string } = {}) {
    // The compiler cannot follow that `facts` belongs to `code`'s own entry; the signature above says so.
    const found = catalogue[code] as Entry<ErrorFacts<Code>>;
    super(found.say(facts), options);
    this.name = "ProvisionError";
    this.code = code;
    this.facts = facts;
    this.mend = found.mend(facts);
    this.exitCode = found.exit;
    this.where = options.where;
  }
}
