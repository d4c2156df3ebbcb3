import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, mkdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Transform } from "node:stream";
import { promisify } from "node:util";
import * as zlib from "node:zlib";

import { describe, expect, it } from "vitest";

import { openArchiveFile } from "../../src/provisioner/archive/archive-file.ts";
import { decompressWith } from "../../src/provisioner/archive/decompress-with.ts";
import { unzstdInNode } from "../../src/provisioner/archive/plain-bytes.ts";
import { unpackArchive, vetArchive } from "../../src/provisioner/archive/unpack-archive.ts";
import { archiveOnDisk } from "../support/archive-on-disk.ts";
import { benignTars } from "../support/benign-tars.ts";
import { makeTar, makeTarGz } from "../support/make-archive.ts";
import { scratchFolder } from "../support/scratch-folder.ts";
import { treeOf } from "../support/tree-of.ts";

const run = promisify(execFile);

async function has(program: string): Promise<boolean> {
  return run("sh", ["-c", `command -v ${program}`]).then(
    () => true,
    () => false,
  );
}

const there = {
  xz: await has("xz"),
  zip: await has("zip"),
  zstd: await has("zstd"),
};

/** Names, contents and links: we do not keep the modes that an archive asks for. */
function withoutModes(directory: string): string[] {
  return treeOf(directory)
    .map((line) => line.replace(/^[0-7]+ /, ""))
    .toSorted();
}

describe("beside GNU tar", () => {
  it.each(benignTars)("comes to the same of %s", async (_, members) => {
    const { input, directory, folder } = await archiveOnDisk(makeTarGz(members), "tar.gz");
    const theirs = join(folder, "theirs");
    await mkdir(theirs);
    await run("tar", ["--warning=no-unknown-keyword", "-xzf", input.path, "-C", theirs]);

    await unpackArchive(input, directory);

    expect(withoutModes(directory)).toEqual(withoutModes(theirs));
  });

  it.each(["gnu", "pax", "ustar", "v7"])("reads what it writes in format %s", async (format) => {
    const { folder, source } = await sourceTree();
    const path = join(folder, "tool.tar");
    await run("tar", [`--format=${format}`, "-cf", path, "-C", source, "."]);
    const input = { name: "tool", path, format: "tar", signal: new AbortController().signal } as const;

    const entries = await unpackArchive(input, join(folder, "root"));

    expect(treeOf(join(folder, "root"))).toEqual(treeOf(source));
    expect(await vetArchive(input)).toEqual(entries);
  });

  it("refuses a sparse file that it writes, in each of its ways", async () => {
    const { folder, source } = await sourceTree();
    await run("truncate", ["-s", "8M", join(source, "sparse")]);
    for (const format of ["gnu", "posix", "posix --sparse-version=0.0", "posix --sparse-version=0.1"]) {
      const path = join(folder, "tool.tar");
      await run("tar", [...`--format=${format}`.split(" "), "--sparse", "-cf", path, "-C", source, "."]);

      const vetted = vetArchive({ name: "tool", path, format: "tar", signal: new AbortController().signal });

      await expect(vetted).rejects.toThrow(/sparse file/);
    }
  });
});

it.skipIf(!there.zstd)(
  "reads zstd of several frames, as pzstd(1) writes it, or is skipped without zstd(1)",
  async () => {
    const tar = makeTar([{ path: "a", body: randomBytes(3000) }]);
    const frames = [tar.subarray(0, 1000), tar.subarray(1000)].map((part) => compressed("zstd", part));
    const { input } = await archiveOnDisk(Buffer.concat(await Promise.all(frames)), "tar.zst");

    const entries = await vetArchive(input);

    expect(entries).toEqual([{ path: "a", type: "file", mode: 0o644, size: 3000 }]);
  },
);

describe.skipIf(!there.zip)("beside zip(1), which this machine has or this is skipped", () => {
  it("reads what it writes", async () => {
    const { folder, source } = await sourceTree();
    const path = join(folder, "tool.zip");
    // Without -y it stores what links lead to.
    await run("zip", ["-qr", path, "."], { cwd: source });

    await unpackArchive(
      { name: "tool", path, format: "zip", signal: new AbortController().signal },
      join(folder, "root"),
    );

    const contents = (lines: readonly string[]) => lines.filter((line) => !line.includes("alias"));
    expect(contents(treeOf(join(folder, "root")))).toEqual(contents(treeOf(source)));
    expect((await stat(join(folder, "root/bin/tool"))).mode & 0o777).toBe(0o755);
    expect(await readFile(join(folder, "root/bin/alias"), "utf8")).toBe("program");
  });

  it("refuses the links that it writes", async () => {
    const { folder, source } = await sourceTree();
    const path = join(folder, "tool.zip");
    await run("zip", ["-qry", path, "."], { cwd: source });

    const vetted = vetArchive({ name: "tool", path, format: "zip", signal: new AbortController().signal });

    await expect(vetted).rejects.toThrow(/"bin\/alias" must be a file or a directory, is a symbolic link/);
  });
});

const compressors = [
  { program: "xz", format: "tar.xz", missing: !there.xz },
  { program: "zstd", format: "tar.zst", missing: !there.zstd },
] as const;

for (const { program, format, missing } of compressors)
  describe.skipIf(missing)(
    `${format}, made by ${program}(1), which this machine has or this is skipped`,
    () => {
      it("comes out whole", async () => {
        const body = Buffer.alloc(3 * 1024 ** 2 + 1, randomBytes(1000));
        const bytes = await compressed(program, makeTar([{ path: "bin/tool", mode: 0o755, body }]));
        const { input, directory } = await archiveOnDisk(bytes, format);

        const entries = await unpackArchive(input, directory);

        expect((await readFile(join(directory, "bin/tool"))).equals(body)).toBe(true);
        expect(await vetArchive(input)).toEqual(entries);
      });

      it.each([20, 0.5, 0.99, -1])("is refused when it is cut off at %d", async (part) => {
        const bytes = await compressed(program, makeTar([{ path: "a", body: randomBytes(300_000) }]));
        const length = part > 0 && part < 1 ? Math.floor(bytes.length * part) : part;
        const { input, directory, folder } = await archiveOnDisk(bytes.subarray(0, length), format);

        await expect(unpackArchive(input, directory)).rejects.toMatchObject({
          code: "ARCHIVE_REFUSED",
          facts: { fault: "damage" },
        });
        expect(treeOf(folder)).toHaveLength(1);
      });

      it("is refused when a bit of it was turned", async () => {
        const bytes = await compressed(program, makeTar([{ path: "a", body: randomBytes(300_000) }]));
        bytes.writeUInt8(bytes.readUInt8(150_000) ^ 1, 150_000);
        const { input } = await archiveOnDisk(bytes, format);

        await expect(vetArchive(input)).rejects.toMatchObject({ facts: { fault: "damage" } });
      });

      it("is refused when it goes on after its end", async () => {
        const bytes = Buffer.concat([
          await compressed(program, makeTar([{ path: "a" }])),
          Buffer.from("more"),
        ]);
        const { input } = await archiveOnDisk(bytes, format);

        await expect(vetArchive(input)).rejects.toMatchObject({ facts: { fault: "damage" } });
      });

      it("is stopped, with its program", async () => {
        const stop = new AbortController();
        const bytes = await compressed(
          program,
          makeTar([{ path: "a", body: Buffer.alloc(32 * 1024 ** 2, "x") }]),
        );
        const { input, directory, folder } = await archiveOnDisk(bytes, format, { signal: stop.signal });
        const unpacked = unpackArchive(input, directory);
        setImmediate(() => stop.abort(new Error("stopped by the test")));

        await expect(unpacked).rejects.toThrow("stopped by the test");
        expect(treeOf(folder)).toHaveLength(1);
      });

      it("is stopped early when it grows beyond reason", async () => {
        const bytes = await compressed(
          program,
          makeTar([{ path: "a", body: Buffer.alloc(100 * 1024 ** 2) }]),
        );
        const { input } = await archiveOnDisk(bytes, format);

        await expect(vetArchive(input)).rejects.toThrow(/to at most 64\.0 MiB, comes to 100\.0 MiB/);
      });
    },
  );

/** Since Node 22.15. */
const { createZstdDecompress } = zlib as {
  readonly createZstdDecompress?: () => Transform & { readonly bytesWritten: number };
};

describe.skipIf(!there.zstd || !createZstdDecompress)(
  "zstd in Node, from 22.15 on, or this is skipped",
  () => {
    const node = async (bytes: Buffer) => {
      const { input } = await archiveOnDisk(bytes, "tar.zst");
      await using file = await openArchiveFile(input.path, input.signal);
      const parts: Buffer[] = [];
      if (createZstdDecompress)
        for await (const part of unzstdInNode(createZstdDecompress(), file)) parts.push(part);
      return Buffer.concat(parts);
    };

    it("gives back what was compressed", async () => {
      const plain = Buffer.alloc(3_000_000, randomBytes(1000));

      expect((await node(await compressed("zstd", plain))).equals(plain)).toBe(true);
    });

    it("does not pass one of two frames for both", async () => {
      const frames = [
        await compressed("zstd", Buffer.from("one")),
        await compressed("zstd", Buffer.from("two")),
      ];

      const both = await node(Buffer.concat(frames)).catch((error: unknown) => error);

      expect(Buffer.isBuffer(both) ? both.toString() : (both as Error).name).toMatch(/^(onetwo|Refusal)$/);
    });
  },
);

describe("a program that decompresses", () => {
  it("is asked for when it is missing", async () => {
    const { input } = await archiveOnDisk(Buffer.from("x"), "tar.xz");
    await using file = await openArchiveFile(input.path, input.signal);

    await expect(drain(decompressWith(["no-such-decompressor", "-d"], file))).rejects.toMatchObject({
      code: "ARCHIVE_TOOL_MISSING",
      message: expect.stringContaining('"no-such-decompressor"') as string,
    });
  });

  it("is quoted when it fails", async () => {
    const { input } = await archiveOnDisk(Buffer.from("x"), "tar.xz");
    await using file = await openArchiveFile(input.path, input.signal);

    const drained = drain(
      decompressWith(["sh", "-c", "echo first >&2; echo corrupt input >&2; exit 1"], file),
    );

    await expect(drained).rejects.toThrow("must be undamaged, sh says: corrupt input");
  });

  it("is ended when nobody wants the rest", async () => {
    const { input } = await archiveOnDisk(Buffer.from("x"), "tar.xz");
    await using file = await openArchiveFile(input.path, input.signal);
    const endless = decompressWith(["sh", "-c", "exec yes"], file);
    await endless.next();

    const ending = endless.return(undefined);

    await expect(ending).resolves.toMatchObject({ done: true });
  });
});

async function drain(pieces: AsyncIterable<Buffer>): Promise<void> {
  for await (const piece of pieces) expect(piece.length).toBeGreaterThan(0);
}

async function compressed(program: string, bytes: Buffer): Promise<Buffer> {
  const path = join(await scratchFolder(), "plain");
  await writeFile(path, bytes);
  const { stdout } = await run(program, ["-c", "-1", path], {
    encoding: "buffer",
    maxBuffer: 64 * 1024 ** 2,
  });
  return stdout;
}

/** A tool as a release brings it. */
async function sourceTree(): Promise<{ readonly folder: string; readonly source: string }> {
  const folder = await scratchFolder();
  const source = join(folder, "source");
  await mkdir(join(source, "bin"), { recursive: true });
  await mkdir(join(source, "share/empty"), { recursive: true });
  await writeFile(join(source, "bin/tool"), "program");
  await writeFile(join(source, "share/large"), randomBytes(2 * 1024 ** 2 + 1));
  await writeFile(join(source, "share/ünïcödé"), "x");
  await symlink("tool", join(source, "bin/alias"));
  for (const path of ["", "bin", "share", "share/empty", "bin/tool"]) await chmod(join(source, path), 0o755);
  for (const path of ["share/large", "share/ünïcödé"]) await chmod(join(source, path), 0o644);
  return { folder, source };
}
