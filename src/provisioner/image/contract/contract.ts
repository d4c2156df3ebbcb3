import { accountClauses } from "./account-clauses.ts";
import type { Clause } from "./clause.ts";
import { fileClauses, hygieneClauses } from "./file-clauses.ts";
import { guestClauses } from "./guest-clauses.ts";
import { readOnlyClauses } from "./read-only-clauses.ts";

/** All that a golden image promises: nobody's, nowhere's, clean, and a good machine when it boots. */
export const contract: readonly Clause[] = [
  ...accountClauses,
  ...fileClauses,
  ...hygieneClauses,
  ...guestClauses,
  ...readOnlyClauses,
];

/** What an image says of itself. */
export interface Claims {
  readonly readOnlyRoot: boolean;
}

/** The promises of one image. */
export function promised({ readOnlyRoot }: Claims): readonly Clause[] {
  return contract.filter((clause) => readOnlyRoot || clause.readOnlyRoot !== true);
}
