/** How long a part of the build took, in milliseconds. */
export interface Phase {
  readonly name: string;
  readonly ms: number;
}

/** What is known of a published image; `manifest.json` beside it. */
export interface Manifest {
  readonly schema: 1;
  readonly name: string;
  readonly version: string;
  /** Digest of everything that went in; equal keys make equal images. */
  readonly key: string;
  /** What the key was made of, so that `--explain` can say what differs. */
  readonly inputs: unknown;
  readonly image: {
    readonly file: string;
    /** Lower-case hex of the file. */
    readonly sha256: string;
    /** Of the file, in bytes. */
    readonly bytes: number;
    /** Of the disk as a guest sees it, in bytes. */
    readonly virtualBytes: number;
    readonly format: "qcow2";
    readonly architecture: string;
  };
  readonly base: { readonly name: string; readonly digest: string };
  /** The spec files that were merged, with their SHA-256. */
  readonly specs: readonly { readonly file: string; readonly sha256: string }[];
  readonly uses: readonly { readonly task: string; readonly use: string; readonly from: string }[];
  readonly packages: readonly Package[];
  /** Programs from versions.yaml. */
  readonly tools: readonly InstalledTool[];
  /** Promises of this image that `verify` holds it to. */
  readonly readOnlyRoot: boolean;
  readonly built: {
    /** ISO 8601, UTC. */
    readonly at: string;
    readonly provision: string;
    readonly accelerator: string;
    readonly phases: readonly Phase[];
  };
}

/** An installed Debian package. */
export interface Package {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
}

/** A program that is in an image without being a package. */
export interface InstalledTool {
  readonly name: string;
  readonly version: string;
  /** As an SPDX expression; `null` where versions.yaml says none. */
  readonly license: string | null;
  /** What was unpacked: where it is from, lower-case hex. */
  readonly files: readonly { readonly url: string; readonly sha256: string }[];
}

/**
 * What two images of the same inputs share, whenever and wherever they were built: all but version, circumstances of
 * the build, and the bytes of the image, into which a running machine writes times and random ids.
 */
export function comparable(manifest: Manifest): object {
  const { version: _version, built: _built, image, ...rest } = manifest;
  const { sha256: _sha256, bytes: _bytes, ...shape } = image;
  return { ...rest, image: shape };
}
