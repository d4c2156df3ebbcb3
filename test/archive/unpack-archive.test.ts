import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { unpackArchive, vetArchive } from "../../src/provisioner/archive/unpack-archive.ts";
import { archiveOnDisk } from "../support/archive-on-disk.ts";
import { globalHeader, makeTar, makeTarGz, makeZip, type TarMember } from "../support/make-archive.ts";
import { treeOf } from "../support/tree-of.ts";

describe("unpackArchive", () => {
  it("gives all there is, with directories that are only implied", async () => {
    const { input, directory } = await archiveOnDisk(
      makeTarGz([
        { path: "tool-1.0/bin/tool", mode: 0o755, body: "program" },
        { path: "tool-1.0/bin/", type: "5" },
        { path: "tool-1.0/bin/alias", type: "2", target: "tool" },
      ]),
      "tar.gz",
    );

    const entries = await unpackArchive(input, directory);

    expect(entries).toEqual([
      { path: "tool-1.0", type: "directory", mode: 0o755, size: 0 },
      { path: "tool-1.0/bin", type: "directory", mode: 0o755, size: 0 },
      { path: "tool-1.0/bin/tool", type: "file", mode: 0o755, size: 7 },
      { path: "tool-1.0/bin/alias", type: "symlink", mode: 0o777, size: 0, target: "tool" },
    ]);
    expect(await readFile(join(directory, "tool-1.0/bin/alias"), "utf8")).toBe("program");
  });

  it("makes the directory for its owner alone", async () => {
    const { input, directory } = await archiveOnDisk(makeTar([{ path: "a" }]), "tar");

    await unpackArchive(input, directory);

    expect((await stat(directory)).mode & 0o7777).toBe(0o700);
  });

  it("reduces modes to whether it is a program, whatever the umask", async () => {
    const { input, directory } = await archiveOnDisk(
      makeTar([
        { path: "open", mode: 0o666 },
        { path: "closed", mode: 0o600 },
        { path: "ours", mode: 0o700 },
        { path: "wide", mode: 0o777 },
        { path: "folder", type: "5", mode: 0o2777 },
      ]),
      "tar",
    );

    await unpackArchive(input, directory);

    expect(treeOf(directory).map((line) => line.split(" ").slice(0, 2).join(" "))).toEqual([
      "644 closed",
      "644 open",
      "755 folder/",
      "755 ours",
      "755 wide",
    ]);
  });

  it("leaves a directory alone that is there already", async () => {
    const { input, directory, folder } = await archiveOnDisk(makeTar([{ path: "a", body: "new" }]), "tar");
    await unpackArchive(input, directory);

    const again = unpackArchive({ ...input, name: "another" }, directory);

    await expect(again).rejects.toMatchObject({ code: "UNPACK_FAILED", facts: { code: "EEXIST" } });
    expect(treeOf(folder).filter((line) => line.startsWith("644 root/"))).toHaveLength(1);
  });

  it("says what is wrong when the place cannot be written to", async () => {
    const { input, directory } = await archiveOnDisk(makeTar([{ path: "a" }]), "tar");

    const unpacked = unpackArchive(input, join(directory, "missing", "root"));

    await expect(unpacked).rejects.toMatchObject({ code: "UNPACK_FAILED", facts: { code: "ENOENT" } });
  });

  it("writes files of several pieces whole", async () => {
    const body = Buffer.alloc(5 * 1024 ** 2 + 17, "0123456789abcdef-");
    const { input, directory } = await archiveOnDisk(
      makeTarGz([
        { path: "before", body: "x" },
        { path: "large", mode: 0o755, body },
        { path: "after", body: "y" },
      ]),
      "tar.gz",
    );

    await unpackArchive(input, directory);

    expect((await readFile(join(directory, "large"))).equals(body)).toBe(true);
    expect((await stat(join(directory, "large"))).mode & 0o7777).toBe(0o755);
    expect(await readFile(join(directory, "after"), "utf8")).toBe("y");
  });

  it("makes hard links one file", async () => {
    const { input, directory } = await archiveOnDisk(
      makeTar([
        { path: "./bin/one", mode: 0o755, body: "program" },
        { path: "./bin/two", type: "1", mode: 0o755, target: "./bin/one" },
        { path: "./bin/three", type: "1", mode: 0o755, target: "bin/two" },
      ]),
      "tar",
    );

    const entries = await unpackArchive(input, directory);

    const [one, two, three] = await Promise.all(
      ["one", "two", "three"].map((name) => stat(join(directory, "bin", name))),
    );
    expect([two?.ino, three?.ino]).toEqual([one?.ino, one?.ino]);
    expect(entries.at(-1)).toEqual({ path: "bin/three", type: "file", mode: 0o755, size: 7 });
  });
});

const benign: readonly (readonly [string, readonly TarMember[]])[] = [
  [
    "members that begin with ./",
    [
      { path: "./", type: "5" },
      { path: "./eza", mode: 0o755, body: "program" },
    ],
  ],
  ["a root that is a dot", [{ path: ".", type: "5" }, { path: "a" }]],
  [
    "links that go up and stay in, as nerdctl-full has",
    [
      { path: "bin/", type: "5" },
      { path: "bin/buildkit-cni-bridge", type: "2", target: "../libexec/cni/bridge" },
      { path: "libexec/cni/bridge", mode: 0o755, body: "bridge" },
    ],
  ],
  [
    "a link through a link to a directory",
    [
      { path: "lib", type: "2", target: "usr/lib" },
      { path: "usr/lib/x.so.1", body: "x" },
      { path: "x.so", type: "2", target: "lib/./x.so.1" },
    ],
  ],
  ["the commit of git archive", [globalHeader({ comment: "a".repeat(40) }), { path: "a", body: "x" }]],
  ["a long name in pax", [{ path: `${"d".repeat(90)}/${"ü".repeat(100)}`, body: "x" }]],
  ["a very long name in pax", [{ path: `${`${"d".repeat(99)}/`.repeat(9)}file`, body: "x" }]],
  ["a long name in GNU's way", [{ path: `${"d".repeat(200)}/${"f".repeat(200)}`, body: "x", long: "gnu" }]],
  [
    "a long link in GNU's way",
    [
      { path: `${"d".repeat(200)}/file`, body: "x", long: "gnu" },
      { path: "link", type: "2", target: `${"d".repeat(200)}/file`, long: "gnu" },
    ],
  ],
  [
    "directories without content",
    [
      { path: "a/b/", type: "5" },
      { path: "a/c", type: "5" },
    ],
  ],
  [
    "a directory in the way of v7",
    [
      { path: "a/", type: "\0", magic: "v7" },
      { path: "a/b", magic: "v7", body: "x" },
    ],
  ],
  ["a directory twice", [{ path: "a/", type: "5" }, { path: "a/b" }, { path: "a", type: "5" }]],
  [
    "attributes of macOS, with bytes that are no text",
    [
      {
        path: "a",
        body: "x",
        pax: {
          "LIBARCHIVE.xattr.com.apple.provenance": "AQIA",
          "SCHILY.xattr.com.apple.provenance": Buffer.from([1, 2, 0, 0xff, 0x0a, 0x31, 0x20, 0x3d]),
          mtime: "1.5",
        },
      },
    ],
  ],
  ["a comment that looks like a record", [{ path: "a", body: "x", pax: { comment: "y\n10 path=z" } }]],
  [
    "a size in pax",
    [
      { path: "a", body: "12345", size: 0, pax: { size: "5" } },
      { path: "b", body: "y" },
    ],
  ],
];

describe.each(benign)("of %s", (_, members) => {
  it("vetting says the same as unpacking, and both are right", async () => {
    const { input, directory } = await archiveOnDisk(makeTarGz(members), "tar.gz");

    const vetted = await vetArchive(input);
    const unpacked = await unpackArchive(input, directory);

    expect(vetted).toEqual(unpacked);
    expect(treeOf(directory).map(pathOf).toSorted()).toEqual(unpacked.map(({ path }) => path).toSorted());
    const wanted = members.filter(({ type }) => type !== "g").map(({ path }) => plain(path));
    expect(unpacked.map(({ path }) => path)).toEqual(
      expect.arrayContaining(wanted.filter((path) => path !== "")),
    );
  });
});

/** Of a line of `treeOf`. */
function pathOf(line: string): string {
  return line.replace(/^[0-7]{3} /, "").replace(/\/$| -> .*$| [0-9a-f]{12}$/, "");
}

function plain(path: string): string {
  return path
    .split("/")
    .filter((segment) => segment !== "" && segment !== ".")
    .join("/");
}

describe("a zip", () => {
  it("comes out with its directories and programs", async () => {
    const { input, directory } = await archiveOnDisk(
      makeZip([
        { path: "tool/" },
        { path: "tool/tool", mode: 0o100755, body: "program" },
        { path: "tool/README", stored: true, body: "words" },
        { path: "tool/empty" },
        { path: "tool/from-dos", host: 0, mode: 0o100777, body: "x" },
      ]),
      "zip",
    );

    const entries = await unpackArchive(input, directory);

    expect(entries.map(({ path, mode }) => `${mode.toString(8)} ${path}`)).toEqual([
      "755 tool",
      "755 tool/tool",
      "644 tool/README",
      "644 tool/empty",
      "644 tool/from-dos",
    ]);
    expect(await readFile(join(directory, "tool/tool"), "utf8")).toBe("program");
    expect(await vetArchive(input)).toEqual(entries);
  });

  it("may hold files of several pieces", async () => {
    const body = Buffer.alloc(3 * 1024 ** 2 + 5, "some text, again and again; ");
    const { input, directory } = await archiveOnDisk(
      makeZip([
        { path: "a", body },
        { path: "b", body, stored: true },
      ]),
      "zip",
    );

    await unpackArchive(input, directory);

    expect((await readFile(join(directory, "a"))).equals(body)).toBe(true);
    expect((await readFile(join(directory, "b"))).equals(body)).toBe(true);
  });
});

describe("a program by itself", () => {
  it.each([
    ["ELF", "\u007fELF and more"],
    ["a script", "#!/bin/sh\necho hello\n"],
  ])("comes out under its name when it is %s", async (_, text) => {
    const { input, directory } = await archiveOnDisk(Buffer.from(text), "raw", { name: "tool-linux-amd64" });

    const entries = await unpackArchive(input, directory);

    expect(entries).toEqual([{ path: "tool-linux-amd64", type: "file", mode: 0o755, size: text.length }]);
    expect(await readFile(join(directory, "tool-linux-amd64"), "utf8")).toBe(text);
    expect(await vetArchive(input)).toEqual(entries);
  });

  it.each(["a/b", "..", "../b"])("is refused under the name %j", async (name) => {
    const { input } = await archiveOnDisk(Buffer.from("#!/bin/sh\n"), "raw", { name });

    await expect(vetArchive(input)).rejects.toMatchObject({ code: "ARCHIVE_REFUSED" });
  });
});

describe("a stop", () => {
  it("ends the work and leaves nothing", async () => {
    const stop = new AbortController();
    const body = Buffer.alloc(64 * 1024 ** 2);
    const { input, directory, folder } = await archiveOnDisk(makeTar([{ path: "a", body }]), "tar", {
      signal: stop.signal,
    });
    const unpacked = unpackArchive(input, directory);
    setImmediate(() => stop.abort(new Error("stopped by the test")));

    await expect(unpacked).rejects.toThrow("stopped by the test");

    expect(treeOf(folder)).toHaveLength(1);
  });

  it("is heard before anything is opened", async () => {
    const { input, directory } = await archiveOnDisk(makeTar([{ path: "a" }]), "tar", {
      signal: AbortSignal.abort(new Error("stopped by the test")),
    });

    await expect(unpackArchive(input, directory)).rejects.toThrow("stopped by the test");
    await expect(stat(directory)).rejects.toMatchObject({ code: "ENOENT" });
  });
});
