import type { Section } from "../../src/provisioner/host/readers/reader.ts";

/** A section of a frame as recorded; what is left out is empty and went well. */
export function section(
  given: Partial<Omit<Section, "stdout">> & { readonly stdout?: string | Buffer },
): Section {
  const stdout = Buffer.from(given.stdout ?? "");
  return { size: stdout.length, stderr: "", code: 0, late: false, truncated: false, ...given, stdout };
}
