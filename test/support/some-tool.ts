import type { Architecture, PinnedTool, ToolArtifact, ToolPin } from "../../src/provisioner/core/tool-pin.ts";
import { digestOf } from "../../src/provisioner/core/task.ts";

/** A tool of one command in one archive, for both architectures; `changes` say what a test is about. */
export function someTool(
  name: string,
  { version = "1.0.0", artifact = {} }: { version?: string; artifact?: Partial<ToolArtifact> } = {},
): PinnedTool {
  const pin = (architecture: Architecture): ToolPin => {
    const file = `${name}-${version}-${architecture}.tar.gz`;
    const made: ToolArtifact = {
      name: file,
      url: `https://example.com/${file}`,
      sha256: digestOf(file),
      format: "tar.gz",
      binaries: [{ command: name, path: `${name}/${name}` }],
      tree: undefined,
      extras: [],
      ...artifact,
    };
    const id = `${version}-${digestOf(JSON.stringify(made)).slice(0, 12)}`;
    return { name, version, architecture, id, system: true, license: "MIT", artifacts: [made] };
  };
  return { name, version, pins: { x86_64: pin("x86_64"), aarch64: pin("aarch64") } };
}
