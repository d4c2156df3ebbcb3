import type { Manifest } from "./manifest.ts";
import { architecturesOf, EntryProblem, resolveTool } from "./resolve-tool.ts";

/** What is wrong with the tools of a manifest whose form is right: as paths into it, with "must be …, is …". */
export function checkTools({ tools = {} }: Manifest): readonly {
  readonly path: readonly (string | number)[];
  readonly part: "key" | "value";
  readonly says: string;
}[] {
  return Object.entries(tools).flatMap(([name, entry]) => {
    try {
      for (const architecture of architecturesOf(entry)) resolveTool(name, entry, architecture);
      return [];
    } catch (error) {
      if (!(error instanceof EntryProblem)) throw error;
      const part = error.path.length === 0 ? "key" : "value";
      return [{ path: ["tools", name, ...error.path], part, says: error.message } as const];
    }
  });
}
