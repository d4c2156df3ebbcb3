import { controls, escapes } from "../core/foreign-text.ts";

/** Foreign text or bytes, fit for a terminal, a log and JSON: no escapes, no controls. */
export function cleanOutput(foreign: string | Uint8Array): string {
  const text = typeof foreign === "string" ? foreign : new TextDecoder().decode(foreign);
  return (
    text
      .replaceAll(escapes, "")
      // A program that redraws its line ends it by CR; each drawing is a line of its own here.
      .replaceAll(/\r+\n?/g, "\n")
      .replaceAll(controls, "")
  );
}
