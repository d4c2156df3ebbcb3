/** A place in one of the user's files; line and column start at 1. */
export interface Where {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** One thing wrong in a file. */
export interface Complaint {
  readonly where: Where;
  /** "Cannot accept tasks[3].sysctl.key: must be text, is 5". */
  readonly what: string;
  /** What to do, where that is more than to correct the file. */
  readonly mend?: string;
}
