/** What no program can be given: NUL ends a C string, a lone surrogate has no UTF-8. */
const unsendable = /\0|\p{Surrogate}/u;

/** Why a text cannot reach a program as it is, or `undefined` when it can. */
export function whyUnsendable(text: string): string | undefined {
  if (!unsendable.test(text)) return undefined;
  return text.includes("\0") ? "must not hold a NUL byte" : "must be well-formed Unicode";
}

/** One word of a POSIX shell line that the shell reads back as `text`. */
export function quoteWord(text: string): string {
  const why = whyUnsendable(text);
  if (why) throw new TypeError(`Cannot quote ${JSON.stringify(text.slice(0, 60))}: ${why}`);
  if (/^[A-Za-z0-9_./:@%+,-]+$/.test(text)) return text;
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A program and its arguments as one POSIX shell line. Holds newlines only where an argument does. */
export function quote(argv: readonly string[]): string {
  return argv.map(quoteWord).join(" ");
}
