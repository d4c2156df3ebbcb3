/** What comes out of a stream of foreign bytes and the worker's own marks. */
export interface FrameEvents {
  /** Foreign bytes, in pieces as they came. */
  data(bytes: Buffer): void;
  /** A mark: its words behind the token. */
  mark(words: readonly string[]): void;
}

/** Marks are short; a longer line is no mark of ours. */
const longestMark = 4096;

/**
 * Splits what a worker prints. A mark is a record separator and a line `<token> words…`; nobody can fake one,
 * as the token is fresh for each frame and never shown to the programs it runs. It does not begin with a
 * newline: every line of output would be held back for what may come behind it.
 */
export function frameParser(token: string, on: FrameEvents): (chunk: Buffer) => void {
  const start = Buffer.from(`\u001e${token} `);
  let rest: Buffer = Buffer.alloc(0);

  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (;;) {
      const at = rest.indexOf(start);
      const data = at === -1 ? rest.length - heldBack(rest, start) : at;
      if (data > 0) on.data(rest.subarray(0, data));
      rest = rest.subarray(data);
      if (at === -1) return;
      const end = rest.indexOf(0x0a, start.length);
      if (end === -1 && rest.length <= longestMark) return;
      const line = rest.subarray(start.length, end === -1 ? longestMark : end);
      rest = rest.subarray(end === -1 ? longestMark : end + 1);
      on.mark(line.toString().split(" "));
    }
  };
}

/** How many bytes at the end could be the beginning of a mark. */
function heldBack(bytes: Buffer, start: Buffer): number {
  const from = Math.max(0, bytes.length - start.length + 1);
  for (let at = bytes.indexOf(0x1e, from); at !== -1; at = bytes.indexOf(0x1e, at + 1)) {
    if (bytes.subarray(at).equals(start.subarray(0, bytes.length - at))) return bytes.length - at;
  }
  return 0;
}
