import type { PinnedRepository } from "../../src/provisioner/core/repository-pin.ts";
import { exampleKey } from "../../src/tasks/apt-repository/example-key.ts";

/** A repository of versions.yaml, signed by the example's key; `changes` say what a test is about. */
export function someRepository(name: string, changes: Partial<PinnedRepository> = {}): PinnedRepository {
  return {
    name,
    uris: ["https://packages.example.org/{distribution}/{codename}"],
    suites: ["{codename}"],
    components: ["main"],
    key: {
      name: `the key of ${name}`,
      url: "https://packages.example.org/key.asc",
      fingerprints: [exampleKey.fingerprint],
    },
    packages: {},
    ...changes,
  };
}
