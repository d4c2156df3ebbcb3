import type { Renderer } from "./renderer.ts";

/** One JSON object a line, each an event as it is. JSON's own escapes keep foreign text harmless. */
export function jsonRenderer(write: (text: string) => void): Renderer {
  return {
    report: (event) => write(`${JSON.stringify(event)}\n`),
    end: async () => {},
  };
}
