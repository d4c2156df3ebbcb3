import { expect, it } from "vitest";

import { pinnedRepository } from "../../src/provisioner/pins/pinned-repository.ts";

const entry = {
  uris: ["https://packages.example.org/{distribution}"],
  suites: ["{codename}"],
  components: ["main"],
  key: {
    url: "https://packages.example.org/key.asc",
    fingerprints: ["0123 4567 89ab cdef 0123 4567 89ab cdef 0123 4567"],
  },
};

it("gives a repository with its fingerprints as keys have them", () => {
  expect(pinnedRepository("agent", { repositories: { agent: entry } })).toEqual({
    ...entry,
    name: "agent",
    key: {
      name: "the key of agent",
      url: entry.key.url,
      fingerprints: ["0123456789ABCDEF0123456789ABCDEF01234567"],
    },
    packages: {},
  });
});

it.each(["agnet", "toString"])("refuses %j, which versions.yaml lacks", (name) => {
  expect(() => pinnedRepository(name, { repositories: { agent: entry } })).toThrow(
    `"${name}" must be a repository of versions.yaml`,
  );
});
