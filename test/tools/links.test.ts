import { mkdirSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { beforeEach, describe, expect, it } from "vitest";

import { isLinkOf, linkTarget, lookAtLink, putLink, removeLink } from "../../src/provisioner/tools/links.ts";
import { makeStore } from "../../src/provisioner/tools/made-directories.ts";
import { leftovers, type Prefix, prefixAt } from "../../src/provisioner/tools/prefix.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

let prefix: Prefix;

beforeEach(async () => {
  prefix = prefixAt(await scratchFolder());
  makeStore(prefix);
  mkdirSync(join(prefix.root, "bin"));
  mkdirSync(join(prefix.store, "jq"));
});

function at(path: string): string {
  return join(prefix.root, path);
}

describe("a place for a link", () => {
  const ours = "../share/provision/store/jq/current/bin/jq";

  it.each<[string, () => void, object]>([
    ["nothing", () => {}, { kind: "absent" }],
    ["the link", () => symlinkSync(ours, at("bin/jq")), { kind: "right" }],
    [
      "a link of ours that is written otherwise",
      () => symlinkSync(join(prefix.store, "jq/current/bin/jq"), at("bin/jq")),
      { kind: "stale", tool: "jq" },
    ],
    [
      "a link of a tool that is gone",
      () => symlinkSync(ours.replaceAll("store/jq", "store/old"), at("bin/jq")),
      { kind: "stale", tool: "old" },
    ],
    [
      "a link of another tool",
      () => {
        mkdirSync(join(prefix.store, "gojq"));
        symlinkSync(ours.replaceAll("store/jq", "store/gojq"), at("bin/jq"));
      },
      { kind: "of-tool", tool: "gojq" },
    ],
    ["a file", () => writeFileSync(at("bin/jq"), ""), { kind: "foreign", path: "bin/jq" }],
    ["a directory", () => mkdirSync(at("bin/jq")), { kind: "foreign", path: "bin/jq" }],
    ["a link elsewhere", () => symlinkSync("/bin/sh", at("bin/jq")), { kind: "foreign", path: "bin/jq" }],
    ["a link to nowhere", () => symlinkSync("nowhere", at("bin/jq")), { kind: "foreign", path: "bin/jq" }],
  ])("is seen to hold %s", (_what, make, state) => {
    make();

    expect(lookAtLink(prefix, "jq", "bin/jq")).toEqual(state);
  });

  it.each<[string, () => void, object]>([
    ["nothing", () => {}, { kind: "absent" }],
    ["a file", () => writeFileSync(at("opt"), ""), { kind: "foreign", path: "opt" }],
    ["a link to nowhere", () => symlinkSync("nowhere", at("opt")), { kind: "foreign", path: "opt" }],
    [
      "a link of another tool",
      () => {
        mkdirSync(join(prefix.store, "gojq/current/opt"), { recursive: true });
        symlinkSync("share/provision/store/gojq/current/opt", at("opt"));
      },
      { kind: "of-tool", tool: "gojq" },
    ],
  ])("is seen to have %s above it", (_what, make, state) => {
    make();

    expect(lookAtLink(prefix, "jq", "opt/jq/file")).toEqual(state);
  });
});

it("puts a link in the place of a stale one, and leaves nothing beside it", () => {
  symlinkSync(join(prefix.store, "jq/current/bin/jq"), at("bin/jq"));

  putLink(prefix, "jq", "bin/jq");

  expect(readlinkSync(at("bin/jq"))).toBe(linkTarget(prefix, "jq", "bin/jq"));
  expect(leftovers(prefix)).toEqual([]);
});

it("removes links of the tool alone", () => {
  putLink(prefix, "jq", "bin/jq");
  writeFileSync(at("bin/mine"), "");

  expect([isLinkOf(prefix, "jq", "bin/jq"), isLinkOf(prefix, "gojq", "bin/jq")]).toEqual([true, false]);
  expect(removeLink(prefix, "gojq", "bin/jq")).toBe(false);
  expect(removeLink(prefix, "jq", "bin/mine")).toBe(false);
  expect(removeLink(prefix, "jq", "bin/jq")).toBe(true);
  expect(lookAtLink(prefix, "jq", "bin/jq")).toEqual({ kind: "absent" });
});
