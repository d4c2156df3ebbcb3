import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";

import { describe, expect, it } from "vitest";

import {
  type ArchiveInput,
  unpackArchive,
  vetArchive,
} from "../../src/provisioner/archive/unpack-archive.ts";
import { archiveOnDisk } from "../support/archive-on-disk.ts";
import { makeTar, makeTarGz, makeZip, paxBody, type TarMember } from "../support/make-archive.ts";
import { treeOf } from "../support/tree-of.ts";

async function refusalOf(bytes: Buffer, format: ArchiveInput["format"]): Promise<string> {
  const { input, directory, folder } = await archiveOnDisk(bytes, format);

  const vetted = await vetArchive(input).catch((error: unknown) => error);
  const unpacked = await unpackArchive(input, directory).catch((error: unknown) => error);

  expect(unpacked).toMatchObject({ code: "ARCHIVE_REFUSED" });
  expect(vetted).toMatchObject({ message: (unpacked as Error).message });
  expect(treeOf(folder)).toHaveLength(1);
  return (unpacked as Error).message;
}

const members: readonly TarMember[] = [
  { path: "bin/tool", mode: 0o755, body: randomBytes(3000) },
  { path: "n".repeat(150), body: "x" },
];
// Header, 3000 bytes in six blocks, then header, body (a block), header and body of the extended name.
const LAST = 512 + 3072 + 3 * 512;

describe("what is cut off", () => {
  it.each([
    ["in its first header", 511],
    ["behind a header", 512],
    ["in a file", 512 + 1000],
    ["in the padding behind a file", 512 + 3001],
    ["between two members", 512 + 3072],
    ["in an extended header", 512 + 3072 + 512 + 80],
    ["behind an extended header", 512 + 3072 + 1024],
    ["in the last file", LAST + 1],
    ["behind the last member, where zero blocks must be", LAST + 512],
  ])("is refused of a tar %s", async (_, length) => {
    expect(await refusalOf(makeTar(members).subarray(0, length), "tar")).toMatch(
      /must be whole, is cut off|is something unknown/,
    );
  });

  it.each([0.1, 0.5, 0.9, 0.999])("is refused of a tar.gz after %d of it", async (part) => {
    const bytes = makeTarGz(members);

    expect(await refusalOf(bytes.subarray(0, Math.floor(bytes.length * part)), "tar.gz")).toMatch(
      /must be whole, is cut off/,
    );
  });

  it.each([1, 4, 8])("is refused of a tar.gz that lacks its last %d bytes", async (missing) => {
    expect(await refusalOf(makeTarGz(members).subarray(0, -missing), "tar.gz")).toMatch(
      /must be whole, is cut off/,
    );
  });

  it.each([
    ["behind an extended header", 512 + 3072 + 1024],
    ["in a file", LAST + 1],
  ])("is refused when a whole tar.gz holds a tar that ends %s", async (_, length) => {
    expect(await refusalOf(gzipSync(makeTar(members).subarray(0, length)), "tar.gz")).toMatch(
      /must be whole, is cut off/,
    );
  });

  it.each([10, 100, 200])("is refused of a zip after %d bytes", async (length) => {
    expect(
      await refusalOf(makeZip([{ path: "a", body: randomBytes(200) }]).subarray(0, length), "zip"),
    ).toMatch(/zip that can be read/);
  });

  it("is no fault of a tar in gzip that only lacks the zero blocks", async () => {
    const { input, directory } = await archiveOnDisk(gzipSync(makeTar(members, { end: false })), "tar.gz");

    const entries = await unpackArchive(input, directory);

    expect(entries.map(({ path }) => path)).toEqual(["bin", "bin/tool", "n".repeat(150)]);
  });

  it("is no fault of a tar with one zero block", async () => {
    const { input } = await archiveOnDisk(makeTar(members).subarray(0, -512), "tar");

    expect(await vetArchive(input)).toHaveLength(3);
  });
});

describe("what goes on", () => {
  const more = Buffer.from("more");

  it.each([
    ["a tar", Buffer.concat([makeTar(members), more]), "tar"],
    [
      "a tar with another one behind it",
      Buffer.concat([makeTar(members), makeTar([{ path: "hidden" }])]),
      "tar",
    ],
    [
      "a tar with a member behind a lone zero block",
      Buffer.concat([makeTar(members, { end: false }), Buffer.alloc(512), makeTar([{ path: "hidden" }])]),
      "tar",
    ],
    ["a tar in gzip", gzipSync(Buffer.concat([makeTar(members), more])), "tar.gz"],
    ["a tar in gzip in two parts", Buffer.concat([makeTarGz(members), gzipSync(more)]), "tar.gz"],
  ] as const)("is refused of %s", async (_, bytes, format) => {
    expect(await refusalOf(bytes, format)).toMatch(/goes on after its end/);
  });

  it.each([
    ["at once", more],
    ["after a zero", Buffer.concat([Buffer.alloc(1), more])],
    ["with the beginning of gzip", Buffer.from([0x1f, 0x8b, 8, 0])],
  ])("is refused behind gzip data, %s", async (_, rest) => {
    expect(await refusalOf(Buffer.concat([makeTarGz(members), rest]), "tar.gz")).toMatch(
      /goes on|cannot be decompressed|is cut off/,
    );
  });

  it("is refused of a zip", async () => {
    expect(await refusalOf(Buffer.concat([makeZip([{ path: "a" }]), more]), "zip")).toMatch(
      /zip that can be read/,
    );
  });

  it.each([
    ["a tar in blocks of 20", Buffer.concat([makeTar(members), Buffer.alloc(10_240 - 512)]), "tar"],
    ["gzip on a tape", Buffer.concat([makeTarGz(members), Buffer.alloc(3000)]), "tar.gz"],
    [
      "gzip in two parts",
      Buffer.concat([
        gzipSync(makeTar(members).subarray(0, 1000)),
        gzipSync(makeTar(members).subarray(1000)),
      ]),
      "tar.gz",
    ],
  ] as const)("is no fault of %s", async (_, bytes, format) => {
    const { input } = await archiveOnDisk(bytes, format);

    expect(await vetArchive(input)).toHaveLength(3);
  });
});

describe("what was changed on the way", () => {
  it("is seen in a header", async () => {
    const bytes = makeTar(members);
    bytes[3584 + 512 + 512] = 0x20;

    expect(await refusalOf(bytes, "tar")).toMatch(/headers that are intact/);
  });

  it("is seen in gzip data", async () => {
    const bytes = makeTarGz(members);
    const middle = Math.floor(bytes.length / 2);
    bytes.writeUInt8(bytes.readUInt8(middle) ^ 0x10, middle);

    expect(await refusalOf(bytes, "tar.gz")).toMatch(/must be undamaged|cut off/);
  });

  it("is seen in a zip", async () => {
    const bytes = makeZip([{ path: "a", stored: true, body: "content" }]);
    bytes.write("K", bytes.indexOf("content"));

    expect(await refusalOf(bytes, "zip")).toMatch(/size and checksum/);
  });

  it("is seen in a size", async () => {
    const [header] = [makeTar([{ path: "a", body: "x" }])];
    // The checksum is made to fit: the field itself is what is wrong.
    header.write("zzzzzzzzzzz", 124);
    const sum = header
      .subarray(0, 512)
      .reduce((all, byte, at) => all + (at >= 148 && at < 156 ? 0x20 : byte), 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);

    expect(await refusalOf(header, "tar")).toMatch(/must have a size that is a number/);
  });
});

const tar = makeTar([{ path: "a" }]);
const page = Buffer.from("\n<!DOCTYPE html>\n<html><title>404</title></html>");

describe("what is another kind of file", () => {
  it.each([
    ["tar.gz", makeZip([{ path: "a" }]), "must be gzip, as format tar.gz is, is a zip"],
    ["tar.gz", page, "is a web page"],
    ["tar.gz", tar, "is a tar"],
    ["tar.gz", Buffer.alloc(0), "is empty"],
    ["tar.gz", Buffer.from('{"message":"Not Found"}'), "is a JSON document"],
    ["tar.gz", Buffer.from("<?xml version='1.0'?><Error/>"), "is an XML document"],
    ["tar.gz", Buffer.from("version https://git-lfs.github.com/spec/v1\n"), "is a text"],
    ["tar.gz", Buffer.from("BZh91AY"), "is bzip2"],
    ["tar.xz", makeTarGz([{ path: "a" }]), "must be xz, as format tar.xz is, is gzip"],
    ["tar.zst", Buffer.from("fd377a585a00", "hex"), "must be zstd, as format tar.zst is, is xz"],
    ["tar", Buffer.from("28b52ffd", "hex"), "must be a tar, as format tar is, is zstd"],
    ["tar", Buffer.alloc(1024), "is something unknown"],
    ["zip", Buffer.from("7f454c46", "hex"), "must be a zip, as format zip is, is an ELF program"],
    ["raw", makeTarGz([{ path: "a" }]), "must be an ELF program or a script, as format raw is, is gzip"],
    ["raw", Buffer.from("MZ\u0000\u0001"), "is a Windows program"],
    ["raw", Buffer.from("cffaedfe07000001", "hex"), "is a macOS program"],
    ["raw", Buffer.from("!<arch>\ndebian-binary"), "is a Debian package"],
    ["raw", page, "is a web page"],
  ] as const)("is refused as %s: %#", async (format, bytes, reason) => {
    expect(await refusalOf(bytes, format)).toMatch(new RegExp(reason));
  });

  it("is refused inside gzip", async () => {
    expect(await refusalOf(gzipSync("\u007fELF, and the rest"), "tar.gz")).toMatch(/cut off|must hold a tar/);
    expect(await refusalOf(gzipSync(Buffer.alloc(4096, "#!/bin/sh\n")), "tar.gz")).toMatch(
      /must hold a tar, holds a script/,
    );
    expect(await refusalOf(gzipSync(Buffer.alloc(1024)), "tar.gz")).toMatch(
      /must hold something, holds nothing/,
    );
    expect(await refusalOf(gzipSync(""), "tar.gz")).toMatch(/must hold something, holds nothing/);
  });

  it("gets the advice to correct the pin", async () => {
    const { input } = await archiveOnDisk(page, "tar.gz");

    await expect(vetArchive(input)).rejects.toMatchObject({
      mend: expect.stringContaining("`format`") as string,
    });
  });
});

it("reads extended headers that lie across two pieces", async () => {
  const path = `${"ä".repeat(100)}/${"ö".repeat(100)}/${"ü".repeat(100)}`;
  // The body begins in the last block of the first mebibyte that is read, and the cut goes through a letter.
  const filler = 1024 ** 2 - 3 * 512;
  const bytes = makeTar([
    { path: "filler", body: Buffer.alloc(filler) },
    { path: "x", type: "x", body: paxBody({ path }) },
    { path: "short", body: "x" },
  ]);
  const { input } = await archiveOnDisk(bytes, "tar");

  const entries = await vetArchive(input);

  expect(entries.at(-1)?.path).toBe(path);
});
