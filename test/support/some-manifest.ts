import type { Manifest } from "../../src/provisioner/image/manifest.ts";

/** The manifest of an image of five bytes; `changes` say what a test is about. */
export function someManifest(changes: Partial<Manifest> = {}): Manifest {
  return {
    schema: 1,
    name: "web",
    version: "20261123-1",
    key: "1",
    inputs: {},
    image: {
      file: "image.qcow2",
      sha256: "c".repeat(64),
      bytes: 5,
      virtualBytes: 1024 ** 3,
      format: "qcow2",
      architecture: "amd64",
    },
    base: { name: "debian-13", digest: "b".repeat(64) },
    specs: [],
    uses: [],
    packages: [],
    tools: [],
    readOnlyRoot: false,
    built: {
      at: `${(changes.version ?? "20261123").replace(/^(\d{4})(\d\d)(\d\d).*/, "$1-$2-$3")}T10:00:00.000Z`,
      provision: "0.1.0",
      accelerator: "tcg",
      phases: [],
    },
    ...changes,
  };
}
