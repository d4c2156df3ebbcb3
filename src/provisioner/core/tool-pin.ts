/** The machines that tools are pinned for, in the words of `uname -m`. */
export const architectures = ["x86_64", "aarch64"] as const;

/** One of them. */
export type Architecture = (typeof architectures)[number];

/** How an artifact is packed; `raw` is the program itself. */
export type ArtifactFormat = "tar.gz" | "tar.xz" | "tar.zst" | "tar" | "zip" | "raw";

/** Where something that comes beside a command belongs. */
export type ExtraKind = "man1" | "man5" | "man8" | "bash" | "zsh" | "fish" | "doc";

/** Bytes that are pinned: where they are and what they must be. */
export interface PinnedFile {
  /** For people, and as a file: one segment of a path. */
  readonly name: string;
  readonly url: string;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** Pinned bytes of which it is known how they are packed, so that they can be looked into before they are used. */
export interface PackedFile extends PinnedFile {
  readonly format: ArtifactFormat;
}

/** One file of a release, and what of it goes where. Paths in it are relative, without `.` and `..`. */
export interface ToolArtifact extends PackedFile {
  /** Programs, by the name they get in `bin/`; of a `raw` artifact the path is empty. */
  readonly binaries: readonly { readonly command: string; readonly path: string }[];
  /**
   * The whole tree goes into the prefix: `to` is where, relative to it ("" is the prefix itself, "go" a directory
   * of its own); what lies in each of `roots` ("" is the whole archive) is merged there.
   */
  readonly tree: { readonly to: string; readonly roots: readonly string[] } | undefined;
  /** `from` may hold `*`, which stands for anything but a slash. */
  readonly extras: readonly { readonly from: string; readonly to: ExtraKind }[];
}

/** A tool of versions.yaml as one architecture gets it. */
export interface ToolPin {
  readonly name: string;
  readonly version: string;
  readonly architecture: Architecture;
  /** Version and twelve digits that change with every byte and every place of it: names its directory in a store. */
  readonly id: string;
  /** Installed for a whole machine, not for one user. */
  readonly system: boolean;
  readonly license: string | undefined;
  readonly artifacts: readonly [ToolArtifact, ...ToolArtifact[]];
}

/** A tool of versions.yaml: what each architecture gets of it. */
export interface PinnedTool {
  readonly name: string;
  readonly version: string;
  /** Those that have a digest. */
  readonly pins: Readonly<Partial<Record<Architecture, ToolPin>>>;
}
