import { createHash } from "node:crypto";

/** Bytes that go to the far side as a file, before the frame that uses them. */
export type Payload =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "file"; readonly path: string; readonly size: number };

/** A longer text goes as a file: a shell takes time and memory over what it has to read as code. */
export const longestInFrame = 64 * 1024;

/** Lower-case hex. */
export function sha256(bytes: string): string {
  return createHash("sha256").update(bytes).digest("hex");
}
