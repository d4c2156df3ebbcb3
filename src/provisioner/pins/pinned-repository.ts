import { plainFingerprint, Refusal } from "../core/task.ts";
import type { PinnedRepository } from "../core/repository-pin.ts";
import { nameFormat } from "../spec/formats.ts";
import type { Manifest } from "./manifest.ts";

/** A package repository of versions.yaml; refuses a name that is none. */
export function pinnedRepository(
  name: string,
  { repositories = {} }: Pick<Manifest, "repositories">,
): PinnedRepository {
  const entry = Object.hasOwn(repositories, name) ? repositories[name] : undefined;
  if (entry === undefined) {
    const says = nameFormat("repository of versions.yaml", Object.keys(repositories))(name);
    throw new Refusal(`"${name}" ${says}; add it to versions.yaml or correct the name`);
  }
  const { uris, suites, components = [], key, packages = {} } = entry;
  const fingerprints = key.fingerprints.map(plainFingerprint);
  return {
    name,
    uris,
    suites,
    components,
    key: { name: `the key of ${name}`, url: key.url, fingerprints },
    packages,
  };
}
