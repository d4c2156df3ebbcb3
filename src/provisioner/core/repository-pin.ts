/** The key that a repository signs its lists with: where it is, and what it must be. */
export interface SigningKey {
  /** For people: whose key it is. */
  readonly name: string;
  readonly url: string;
  /** Of every key in it: forty capitals and digits each. */
  readonly fingerprints: readonly string[];
}

/**
 * A package repository of versions.yaml. In `uris` and `suites` "{distribution}" and "{codename}" stand for the ID and
 * the VERSION_CODENAME of the machine's os-release.
 */
export interface PinnedRepository {
  readonly name: string;
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  readonly components: readonly string[];
  readonly key: SigningKey;
  /** Packages of which one version alone may be installed, with that version. */
  readonly packages: Readonly<Record<string, string>>;
}
