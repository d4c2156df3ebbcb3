import { describe, expect, it } from "vitest";

import { EntryProblem, architecturesOf, resolveTool } from "../../src/provisioner/pins/resolve-tool.ts";
import type { ToolEntry } from "../../src/provisioner/pins/tool-entry.ts";

const a = "a".repeat(64);
const b = "b".repeat(64);
const both = { x86_64: a, aarch64: b };

const hello: ToolEntry = {
  version: "2.12",
  repo: "example/hello",
  artifact: "hello-v{version}-{arch}.tar.gz",
  sha256: both,
  binary: "{stem}/hello",
};

describe("a tool of versions.yaml", () => {
  it("is a file of its release on GitHub", () => {
    const pin = resolveTool("hello", hello, "x86_64");

    expect(pin?.artifacts[0]).toMatchObject({
      name: "hello-v2.12-x86_64.tar.gz",
      url: "https://github.com/example/hello/releases/download/v2.12/hello-v2.12-x86_64.tar.gz",
      sha256: a,
      format: "tar.gz",
      binaries: [{ command: "hello", path: "hello-v2.12-x86_64/hello" }],
    });
  });

  it("takes what differs by architecture from each map", () => {
    const entry: ToolEntry = {
      ...hello,
      arch: { x86_64: "amd64", aarch64: "arm64" },
      artifact: { x86_64: "hello-{arch}-musl.tar.gz", aarch64: "hello-{arch}-gnu.tar.xz" },
    };

    const found = (["x86_64", "aarch64"] as const).map(
      (each) => resolveTool("hello", entry, each)?.artifacts[0],
    );

    expect(found.map((each) => [each?.name, each?.sha256, each?.format])).toEqual([
      ["hello-amd64-musl.tar.gz", a, "tar.gz"],
      ["hello-arm64-gnu.tar.xz", b, "tar.xz"],
    ]);
  });

  it.each([
    ["amd64", "x86_64"],
    ["x64", "x86_64"],
    ["arm64", "aarch64"],
  ] as const)("is for one machine when arch is the word %s alone", (arch, architecture) => {
    const entry: ToolEntry = { ...hello, arch, sha256: a };

    expect(architecturesOf(entry)).toEqual([architecture]);
  });

  it("is not there for a machine without a digest", () => {
    expect(resolveTool("hello", { ...hello, sha256: { x86_64: a } }, "aarch64")).toBeUndefined();
  });

  it("is named as it is, or as told, when it is not packed", () => {
    const raw: ToolEntry = { ...hello, artifact: "hello_{version}_linux", binary: undefined as never };
    const { binary: _binary, ...bare } = raw;

    const names = [bare, { ...bare, binary: "hi" }].map(
      (entry) => resolveTool("hello", entry, "x86_64")?.artifacts[0].binaries[0]?.command,
    );

    expect(names).toEqual(["hello", "hi"]);
  });

  it("takes only the endings of archives for a format", () => {
    const artifact = "hello.linux-{version}";

    expect(resolveTool("hello", { ...hello, artifact, binary: "hello" }, "x86_64")?.artifacts[0].format).toBe(
      "raw",
    );
  });

  it("is a tree in the prefix, or in a directory of it", () => {
    const { binary: _binary, ...bare } = hello;
    const targets = ["~/.local", "/usr/local/hello", "/usr/local/opt/hello"].map(
      (extract_to) =>
        resolveTool("hello", { ...bare, extract_to, root: "{stem}" }, "x86_64")?.artifacts[0].tree,
    );

    expect(targets).toEqual([
      { to: "", roots: ["hello-v2.12-x86_64"] },
      { to: "hello", roots: ["hello-v2.12-x86_64"] },
      { to: "opt/hello", roots: ["hello-v2.12-x86_64"] },
    ]);
  });

  it("brings further files of its release", () => {
    const entry: ToolEntry = {
      ...hello,
      parts: [
        { artifact: "completions-{version}.tar.gz", sha256: b, extra: [{ from: "*/_hello", to: "zsh" }] },
      ],
    };

    const pin = resolveTool("hello", entry, "x86_64");

    expect(pin?.artifacts[1]).toMatchObject({ name: "completions-2.12.tar.gz", sha256: b });
  });

  it("puts a tag with a slash whole into the URL", () => {
    const pin = resolveTool("hello", { ...hello, tag: "cli/v{version}" }, "x86_64");

    expect(pin?.artifacts[0].url).toContain("/releases/download/cli%2Fv2.12/");
  });

  it("has another id for other bytes or another place, and the same one from another server", () => {
    const id = (entry: ToolEntry) => resolveTool("hello", entry, "x86_64")?.id;

    const ids = [
      hello,
      { ...hello, sha256: { x86_64: b } },
      { ...hello, binary: { hi: "{stem}/hello" } },
      { ...hello, repo: "fork/hello" },
    ].map(id);

    expect(new Set(ids).size).toBe(3);
    expect(ids[3]).toBe(ids[0]);
    expect(ids[0]).toMatch(/^2\.12-[0-9a-f]{12}$/);
  });

  it.each<[string, Partial<ToolEntry>, readonly (string | number)[], string]>([
    ["an unknown word", { artifact: "{name}.tar.gz" }, ["artifact"], '"{name}"'],
    ["an unknown word in a path", { binary: { hello: "{ver}/x" } }, ["binary", "hello"], '"{ver}"'],
    ["neither artifact nor url", { artifact: undefined as never }, [], '"artifact" or "url"'],
    ["both artifact and url", { url: "https://a.example/b.tar.gz" }, [], '"artifact" or "url"'],
    ["no repo for its artifact", { repo: undefined as never }, ["artifact"], '"repo"'],
    ["a path out of the archive", { binary: "{stem}/../../bin/sh" }, ["binary"], "inside the archive"],
    ["a path from the root", { binary: "/bin/sh" }, ["binary"], "inside the archive"],
    ["nothing to install", { binary: undefined as never }, [], '"binary" or "extract_to"'],
    ["a map that lacks an architecture", { arch: { x86_64: "amd64" } }, ["arch"], '"aarch64"'],
    ["one digest for nobody knows what", { sha256: a }, ["sha256"], "for each architecture"],
    [
      "a tree of a raw file",
      { artifact: "hello", binary: "hello", extract_to: "~/.local" },
      ["extract_to"],
      "raw",
    ],
    [
      "an extra of a raw file",
      { artifact: "hi", binary: "hi", extra: [{ from: "x", to: "doc" }] },
      ["extra"],
      "raw",
    ],
    [
      "a URL that ends in no file",
      { artifact: undefined as never, url: "https://a.example/" },
      ["url"],
      "name of a file",
    ],
  ])("is refused with %s", (_what, change, path, reason) => {
    const entry = JSON.parse(JSON.stringify({ ...hello, ...change })) as ToolEntry;

    const problem = caught(() => architecturesOf(entry).map((each) => resolveTool("hello", entry, each)));

    expect(problem).toBeInstanceOf(EntryProblem);
    expect(problem).toMatchObject({ path, message: expect.stringContaining(reason) as string });
  });
});

function caught(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}
