import { controls, escapes } from "../../core/foreign-text.ts";

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
