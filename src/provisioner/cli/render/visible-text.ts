// What a terminal acts on instead of showing it: CSI, OSC/DCS strings, other escapes (ECMA-48).
const escapes =
  // eslint-disable-next-line no-control-regex
  /(?:\u001B\[|\u009B)[0-?]*[ -/]*[@-~]|\u001B[\]PX^_][\s\S]*?(?:\u0007|\u001B\\|$)|\u001B[ -/]*[0-~]/g;
// Other control characters, and those that turn the direction of what follows (Trojan Source).
// eslint-disable-next-line no-control-regex
const controls = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u200E\u200F\u202A-\u202E\u2066-\u2069]/g;

/** Foreign text as it may reach a terminal: no escape sequences, no control characters but newline and tab. */
export function visibleText(text: string): string {
  return text.replaceAll("\r\n", "\n").replaceAll(escapes, "").replaceAll(controls, "");
}

/** The same on one line, cut to a length. */
export function visibleLine(text: string, longest = 200): string {
  const line = visibleText(text)
    .replaceAll(/\s*\n\s*/g, " ")
    .trim();
  return line.length > longest ? `${line.slice(0, longest - 3)}...` : line;
}
