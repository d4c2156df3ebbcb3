import type { Source } from "./task.ts";

/** What `read` can ask of the controller: files beside the spec, and templates. */
export interface Sources {
  source(path: string): Promise<Source>;
  /** The whole of a text file; throws like `source` when it is not there. */
  text(path: string): Promise<string>;
  template(name: string, variables: Readonly<Record<string, unknown>>): string;
}
