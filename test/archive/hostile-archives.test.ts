import { randomBytes } from "node:crypto";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import {
  type ArchiveInput,
  unpackArchive,
  vetArchive,
} from "../../src/provisioner/archive/unpack-archive.ts";
import { archiveOnDisk } from "../support/archive-on-disk.ts";
import {
  globalHeader,
  makeTar,
  makeTarGz,
  makeZip,
  type TarMember,
  type ZipMember,
} from "../support/make-archive.ts";
import { treeOf } from "../support/tree-of.ts";

/** Something to get at, beside the directory that is unpacked into. */
async function withVictims(folder: string): Promise<readonly string[]> {
  await writeFile(join(folder, "secret"), "secret");
  await mkdir(join(folder, "rootX"));
  await writeFile(join(folder, "rootX", "secret"), "secret");
  return treeOf(folder);
}

/** Why both refuse it, alike and with nothing around changed. */
async function refusalOf(bytes: Buffer, format: ArchiveInput["format"]): Promise<string> {
  const { input, directory, folder } = await archiveOnDisk(bytes, format);
  const before = await withVictims(folder);

  const vetted = await vetArchive(input).catch((error: unknown) => error);
  const unpacked = await unpackArchive(input, directory).catch((error: unknown) => error);

  expect(unpacked).toMatchObject({ code: "ARCHIVE_REFUSED" });
  expect(vetted).toMatchObject({ message: (unpacked as Error).message });
  expect(treeOf(folder)).toEqual(before);
  return (unpacked as Error).message;
}

const file: TarMember = { path: "a/b/c/file", body: "x" };

const tars: readonly (readonly [what: string, reason: RegExp, members: readonly TarMember[]])[] = [
  ["a path that goes up", /"\.\.\/secret" must not hold "\.\."/, [{ path: "../secret", body: "x" }]],
  ["a path that goes up in its middle", /must not hold "\.\."/, [{ path: "a/../../secret" }]],
  ["a path that goes up in pax", /must not hold "\.\."/, [{ path: "a", pax: { path: "../secret" } }]],
  ["a directory that goes up", /must not hold "\.\."/, [{ path: "../rootX/", type: "5" }]],
  ["an absolute path", /must be relative, is absolute/, [{ path: "/etc/passwd" }]],
  ["a backslash", /must not hold a backslash/, [{ path: "a\\..\\b" }]],
  ["a NUL in pax", /must not hold a NUL byte/, [{ path: "a", pax: { path: "bin/tool\0.txt" } }]],
  [
    "a NUL in GNU's long name",
    /must not hold a NUL/,
    [{ path: "L", type: "L", body: "a\0b" }, { path: "a" }],
  ],
  ["a line feed in a name", /must not hold control characters/, [{ path: "a\nb" }]],
  ["an escape sequence in a name", /must not hold control characters/, [{ path: "a\u001b[2Jb" }]],
  ["a name that is no UTF-8", /must be UTF-8/, [{ path: "a", pax: { path: Buffer.from([0x61, 0xff]) } }]],
  ["a name too long", /longer than 255 bytes/, [{ path: "n".repeat(256) }]],
  ["a path too long", /longer than 3072 bytes/, [{ path: "long/".repeat(700) }]],
  ["a file as the root", /is the archive's root/, [{ path: "./." }]],
  ["a link as the root", /is the archive's root/, [file, { path: ".", type: "2", target: "a" }]],
  ["the same file twice", /"x" must be there once, is there twice/, [{ path: "x" }, { path: "./x" }]],
  [
    "a file and a link of one name",
    /is there twice/,
    [file, { path: "x" }, { path: "x", type: "2", target: "a" }],
  ],
  ["a file over a directory", /is there twice/, [file, { path: "a/b" }]],
  ["a directory over a file", /needs a directory "a", which is a file/, [{ path: "a" }, { path: "a/b" }]],
  ["an absolute link", /target is absolute/, [{ path: "run", type: "2", target: "/run" }]],
  ["a link out", /target "\.\.\/secret" leads out/, [{ path: "l", type: "2", target: "../secret" }]],
  ["a link to the parent", /leads out of the archive/, [{ path: "l", type: "2", target: ".." }]],
  ["a link to a sibling of a like name", /leads out/, [{ path: "l", type: "2", target: "../rootX/secret" }]],
  ["a link out and in again", /leads out/, [{ path: "x" }, { path: "l", type: "2", target: "../root/x" }]],
  ["a link to nothing", /"gone" is not in the archive/, [{ path: "l", type: "2", target: "gone" }]],
  ["a link without a target", /its target must not be empty/, [{ path: "l", type: "2" }]],
  ["a link with a line feed", /its target must not hold control/, [{ path: "l", type: "2", target: "a\n" }]],
  ["a link through a file", /no directory/, [file, { path: "l", type: "2", target: "a/b/c/file/../file" }]],
  [
    "a link to a file as if to a directory",
    /no directory/,
    [file, { path: "l", type: "2", target: "a/b/c/file/" }],
  ],
  ["a link to itself", /too many links/, [{ path: "l", type: "2", target: "l" }]],
  [
    "links in a circle",
    /too many links/,
    [
      { path: "l", type: "2", target: "m" },
      { path: "m", type: "2", target: "l" },
    ],
  ],
  [
    "a file written through a link",
    /"l\/secret" needs a directory "l", which is a symlink/,
    [
      { path: "l", type: "2", target: "../rootX" },
      { path: "l/secret", body: "overwritten" },
    ],
  ],
  [
    "a file that turns into a link afterwards",
    /is there twice/,
    [
      { path: "l/secret", body: "overwritten" },
      { path: "l", type: "2", target: "../rootX" },
    ],
  ],
  [
    "the chain of CVE-2026-26960",
    /"a\/b\/escape" must point into the archive/,
    [
      { path: "a/b/c/", type: "5" },
      { path: "a/b/c/up", type: "2", target: "../.." },
      { path: "a/b/escape", type: "2", target: "c/up/../.." },
    ],
  ],
  [
    "a hard link through that chain",
    /"stolen" must link to a file that came before it/,
    [
      { path: "a/b/c/", type: "5" },
      { path: "a/b/c/up", type: "2", target: "../.." },
      { path: "a/b/escape", type: "2", target: "c/up/../.." },
      { path: "stolen", type: "1", target: "a/b/escape/secret" },
    ],
  ],
  ["a hard link out", /must not hold "\.\."/, [{ path: "stolen", type: "1", target: "../secret" }]],
  ["an absolute hard link", /must be relative/, [{ path: "stolen", type: "1", target: "/etc/shadow" }]],
  ["a hard link to nothing", /"gone" is none/, [{ path: "x", type: "1", target: "gone" }]],
  ["a hard link to a directory", /"a\/b" is none/, [file, { path: "x", type: "1", target: "a/b" }]],
  ["a hard link to what comes later", /"y" is none/, [{ path: "x", type: "1", target: "y" }, { path: "y" }]],
  [
    "a hard link to a link",
    /"l" is none/,
    [
      { path: "l", type: "2", target: "../secret" },
      { path: "stolen", type: "1", target: "l" },
    ],
  ],
  ["setuid", /must not have a setuid, setgid or sticky bit, has mode 4755/, [{ path: "su", mode: 0o4755 }]],
  ["setgid", /has mode 2755/, [{ path: "wall", mode: 0o2755 }]],
  [
    "setuid on a hard link",
    /has mode 4755/,
    [{ path: "a" }, { path: "su", type: "1", mode: 0o4755, target: "a" }],
  ],
  ["capabilities", /capabilities/, [{ path: "ping", pax: { "SCHILY.xattr.security.capability": "\u0001" } }]],
  ["a character device", /is a character device/, [{ path: "null", type: "3" }]],
  ["a block device", /is a block device/, [{ path: "sda", type: "4" }]],
  ["a FIFO", /is a FIFO/, [{ path: "pipe", type: "6" }]],
  ["a contiguous file", /is a contiguous file/, [{ path: "a", type: "7", body: "x" }]],
  ["a sparse file of old GNU tar", /is a sparse file/, [{ path: "a", type: "S", body: "x" }]],
  [
    "a sparse file in pax",
    /must not be a sparse file/,
    [
      {
        path: "GNUSparseFile.0/a",
        body: "1\n0\n1\nx",
        pax: { "GNU.sparse.major": "1", "GNU.sparse.name": "a" },
      },
    ],
  ],
  ["the label of a volume", /is the label of a volume/, [{ path: "backup", type: "V" }, file]],
  ["an unknown type", /of an unknown type/, [{ path: "a", type: "Z" }]],
  ["a Solaris header", /of an unknown type/, [{ path: "a", type: "X", body: "9 path=b\n" }, { path: "a" }]],
  [
    "two names",
    /must have one name, has two/,
    [
      { path: "L", type: "L", body: "a" },
      { path: "x", pax: { path: "b" } },
    ],
  ],
  ["one name for all", /must not give all members one name/, [globalHeader({ path: "b" }), { path: "a" }]],
  [
    "one link for all",
    /must not give all members one name/,
    [globalHeader({ linkpath: "b" }), { path: "a" }],
  ],
  [
    "one size for all",
    /must not give all members one name or size/,
    [globalHeader({ size: "1" }), { path: "a" }],
  ],
  [
    "content in a link",
    /no content, as it is a hard link/,
    [{ path: "a" }, { path: "b", type: "1", target: "a", body: "x" }],
  ],
  ["content in a directory", /no content, as it is a directory/, [{ path: "a/", type: "5", body: "x" }]],
  [
    "content of a link in pax",
    /as it is a symlink/,
    [file, { path: "b", type: "2", target: "a", pax: { size: "9" } }],
  ],
  [
    "a record that does not end",
    /headers that can be read/,
    [{ path: "x", type: "x", body: "99 path=b\n" }, file],
  ],
  ["a record without a key", /headers that can be read/, [{ path: "x", type: "x", body: "5 =b\n" }, file]],
  ["a size that is no number", /sizes that are numbers/, [{ path: "a", pax: { size: "-1" } }]],
  [
    "an extended header of megabytes",
    /of ordinary size/,
    [{ path: "a", pax: { comment: "x".repeat(1024 ** 2) } }],
  ],
];

it.each(tars)("refuses a tar with %s", async (_, reason, members) => {
  expect(await refusalOf(makeTar(members), "tar")).toMatch(reason);
});

const zips: readonly (readonly [what: string, reason: RegExp, members: readonly ZipMember[]])[] = [
  ["a path that goes up", /relative path: \.\.\/secret/, [{ path: "../secret", body: "x" }]],
  ["an absolute path", /absolute path/, [{ path: "/etc/passwd" }]],
  ["a backslash", /invalid characters/, [{ path: "a\\..\\..\\secret" }]],
  ["a symbolic link", /is a symbolic link/, [{ path: "l", mode: 0o120777, body: "../secret" }]],
  ["a device", /has file type 20000/, [{ path: "null", mode: 0o020666 }]],
  ["a directory that is named like a file", /must be a file/, [{ path: "a", mode: 0o040755 }]],
  ["a file that is named like a directory", /must be a directory/, [{ path: "a/", mode: 0o100644 }]],
  ["setuid", /has mode 4755/, [{ path: "su", mode: 0o104755 }]],
  [
    "the same file twice",
    /is there twice/,
    [
      { path: "x", body: "1" },
      { path: "x", body: "2" },
    ],
  ],
  ["a file over a directory", /which is a file/, [{ path: "x" }, { path: "x/y" }]],
  ["two names for one file", /must have one name, has two/, [{ path: "README", localPath: "passwd" }]],
  ["a file that needs a password", /encrypted/, [{ path: "a", flags: 0x801, body: "x" }]],
  ["a compression we do not have", /compression method 93/, [{ path: "a", method: 93, body: "x" }]],
  ["content in a directory", /no content/, [{ path: "a/", body: "x", stored: true }]],
  ["a wrong checksum", /size and checksum/, [{ path: "a", body: "x", crc: 1 }]],
  ["more content than it says", /size and checksum/, [{ path: "a", body: "x".repeat(5000), size: 10 }]],
  ["less content than it says", /size and checksum/, [{ path: "a", body: "x", size: 10 }]],
  ["nothing", /empty zip/, []],
];

it.each(zips)("refuses a zip with %s", async (_, reason, members) => {
  expect(await refusalOf(makeZip(members), "zip")).toMatch(reason);
});

describe("too much", () => {
  const small = { entries: 10, bytes: 1000, ratio: 1000 };

  it.each([
    ["tar", makeTar([{ path: "a", body: "x".repeat(999) }])],
    ["zip", makeZip([{ path: "a", body: "x".repeat(1001) }])],
    ["raw", Buffer.from(`#!${"x".repeat(999)}`)],
  ] as const)("is refused of a %s with more bytes than allowed", async (format, bytes) => {
    const { input } = await archiveOnDisk(bytes, format, { limits: small });

    await expect(vetArchive(input)).rejects.toThrow(/must unpack from 0\.0 MiB to at most 0\.0 MiB/);
  });

  it("counts directories that are only implied", async () => {
    const { input } = await archiveOnDisk(makeTar([{ path: "a/b/c/d/e/f/g/h/i/j/k" }]), "tar", {
      limits: { ...small, bytes: 1e6 },
    });

    await expect(vetArchive(input)).rejects.toThrow(
      "must hold at most 10 files, directories and links, holds more",
    );
  });

  it("takes exactly what is allowed", async () => {
    const { input } = await archiveOnDisk(makeTar([{ path: "a/b/c/d/e/f/g/h/i/j" }]), "tar", {
      limits: { ...small, bytes: 1e6 },
    });

    expect(await vetArchive(input)).toHaveLength(10);
  });

  it.each(["tar.gz", "zip"] as const)(
    "is refused of a %s that grows beyond reason, before it grows",
    async (format) => {
      const body = Buffer.alloc(70 * 1024 ** 2);
      const bytes = format === "zip" ? makeZip([{ path: "a", body }]) : makeTarGz([{ path: "a", body }]);
      const { input, directory, folder } = await archiveOnDisk(bytes, format);

      const unpacked = unpackArchive(input, directory);

      await expect(unpacked).rejects.toThrow(
        /"a" must unpack from 0\.1 MiB to at most 64\.0 MiB, comes to 70\.0 MiB/,
      );
      expect(treeOf(folder)).toHaveLength(1);
    },
  );

  it("lets a tar that is not compressed be as large as it is", async () => {
    const { input } = await archiveOnDisk(
      makeTar([{ path: "a", body: Buffer.alloc(70 * 1024 ** 2) }]),
      "tar",
    );

    expect(await vetArchive(input)).toHaveLength(1);
  });

  it("is seen in headers that hold no file", async () => {
    const { input } = await archiveOnDisk(
      makeTarGz([globalHeader({ comment: "x".repeat(9000) }), file]),
      "tar.gz",
      {
        limits: small,
      },
    );

    await expect(vetArchive(input)).rejects.toThrow(/at most 0\.0 MiB/);
  });
});

it("does not print a name of any length", async () => {
  const { input } = await archiveOnDisk(makeTar([{ path: `${"x/".repeat(1000)}../y` }]), "tar");

  const error = (await vetArchive(input).catch((thrown: unknown) => thrown)) as Error;

  expect(error.message.length).toBeLessThan(250);
});

it("stays where it is when somebody puts a link in its place", async () => {
  const { input, directory, folder } = await archiveOnDisk(
    makeTar([{ path: "a", body: randomBytes(10) }]),
    "tar",
  );
  await mkdir(join(folder, "elsewhere"));
  await symlink(join(folder, "elsewhere"), directory);

  await expect(unpackArchive(input, directory)).rejects.toMatchObject({ code: "UNPACK_FAILED" });

  expect(treeOf(join(folder, "elsewhere"))).toEqual([]);
});
