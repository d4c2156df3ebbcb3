import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { unpackArchive, vetArchive } from "../../src/provisioner/archive/unpack-archive.ts";
import { archiveOnDisk } from "../support/archive-on-disk.ts";
import { benignTars } from "../support/benign-tars.ts";
import { makeTar, makeTarGz, makeZip } from "../support/make-archive.ts";
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

describe.each(benignTars)("of %s", (_, members) => {
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

  it.each([
    ["that says so", "ü", { flags: 0x800 }],
    ["that does not say so, when Unix made it", "ü", { flags: 0 }],
    ["of DOS, when it was made there", "├╝", { flags: 0, host: 0 }],
  ])("takes a name for UTF-8 %s", async (_, name, rest) => {
    const { input } = await archiveOnDisk(makeZip([{ path: "ü", ...rest }]), "zip");

    expect(await vetArchive(input)).toMatchObject([{ path: name }]);
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
