import { expect, it } from "vitest";

import { tagReader } from "../../src/provisioner/bump/read-tag.ts";
import { helloEntry } from "../support/bump-shop.ts";

it.each([
  [undefined, "v1.2.3", "1.2.3"],
  ["{version}", "1.2.3", "1.2.3"],
  ["jq-{version}", "jq-1.7", "1.7"],
  ["{version}.x", "1.2.x", "1.2"],
  ["v{version}/{version}", "v1.2/1.2", "1.2"],
  ["v{major}.{minor}/hello-{version}", "v1.2/hello-1.2.3", "1.2.3"],
  ["(v{version}+)", "(v1.2+)", "1.2"],
])("reads by the template %j the tag %j as %j", (tag, given, version) => {
  const read = tagReader("hello", helloEntry("1.0.0", tag === undefined ? {} : { tag }));

  expect(read(given)).toBe(version);
});

it.each([
  [undefined, "1.2.3"],
  [undefined, "vim-1"],
  [undefined, "xv1.2.3"],
  [undefined, "v1.2.3 "],
  [undefined, "v1.2.3\nv1"],
  [undefined, 'v1"; rm -rf /'],
  ["{version}", "latest"],
  ["jq-{version}", "jqx1.7"],
  ["{version}.x", "1.2-x"],
  ["v{version}/{version}", "v1.2/1.3"],
  ["v{major}/hello-{version}", "v2/hello-1.2.3"],
])("reads nothing by the template %j from %j", (tag, given) => {
  const read = tagReader("hello", helloEntry("1.0.0", tag === undefined ? {} : { tag }));

  expect(read(given)).toBeUndefined();
});

it("takes from bump.match nothing that could not be written", () => {
  const { artifact: _, ...entry } = helloEntry("1.0.0", {
    url: "https://example.org/{version}",
    bump: { match: "^(?<version>.*)$" },
  });
  const read = tagReader("hello", entry);

  expect(read("1.2.3")).toBe("1.2.3");
  expect(read("../1.2.3")).toBeUndefined();
  expect(read('1.2.3" # x')).toBeUndefined();
});
