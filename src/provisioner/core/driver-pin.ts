/** A driver of versions.yaml as one distribution gets it: pinned together with the kernel it was seen to build for. */
export interface DriverPin {
  /** The driver's own, as `modinfo` and `dkms status` say it. */
  readonly version: string;
  /** Which of the vendor's two kernel modules. */
  readonly flavour: "open" | "proprietary";
  /** Release of the kernel, as `uname -r` says it. */
  readonly kernel: string;
  /** The module's file name, without its ending; the distribution may have renamed it. */
  readonly module: string;
  /** Debian packages in exact versions, `name=version`: kernel, headers, driver. */
  readonly packages: readonly string[];
}

/** A driver of versions.yaml: what each distribution gets of it. */
export interface PinnedDriver {
  readonly name: string;
  /** By distribution, as package URLs have it: debian-13. */
  readonly pins: Readonly<Record<string, DriverPin>>;
}
