/** Something an archive holds, as its reader found it; nothing in it is trusted yet. */
export interface Member {
  readonly path: string;
  readonly kind: "file" | "directory" | "symlink" | "hard link";
  /** Permission bits, with those above 0o777. */
  readonly mode: number;
  /** Bytes of a file; 0 for all else. */
  readonly size: number;
  /** Where a link points. */
  readonly target?: string;
}

/** Where the bytes of one file go. A piece is the receiver's until `write` resolves. */
export interface Body {
  write(piece: Buffer): Promise<void> | void;
  end(): Promise<void> | void;
}

/** Is told of each member in turn; throws a refusal, or says where a file's bytes go, if anywhere. */
export type Take = (member: Member) => Body | undefined;
