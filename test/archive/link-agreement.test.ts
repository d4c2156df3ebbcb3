import { mkdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { unpackArchive, vetArchive } from "../../src/provisioner/archive/unpack-archive.ts";
import { archiveOnDisk } from "../support/archive-on-disk.ts";
import { makeTar, type TarMember } from "../support/make-archive.ts";
import { scratchFolder } from "../support/scratch-folder.ts";
import { treeOf } from "../support/tree-of.ts";

const folders = ["a", "a/b", "a/b/c", "d"];
const files = ["a/f", "a/b/f", "d/g", "g"];

interface MadeLink {
  readonly path: string;
  readonly target: string;
}

/** Links beside a few fixed files, with targets that wander through them, through each other, and seldom out. */
const links = fc
  .array(
    fc.record({
      folder: fc.constantFrom("", ...folders),
      steps: fc.array(fc.nat(), { minLength: 1, maxLength: 5 }),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((drawn): readonly MadeLink[] => {
    const paths = drawn.map(({ folder }, index) => join(folder, `l${index}`));
    return drawn.map(({ folder, steps }, index) => ({
      path: join(folder, `l${index}`),
      target: walk(folder, steps, paths),
    }));
  });

/** A path through what is there; after a link nobody knows where it is, and it goes on anyhow. */
function walk(start: string, steps: readonly number[], paths: readonly string[]): string {
  let at = start;
  return steps
    .map((step) => {
      const near = [...folders, ...files, ...paths].filter(
        (path) => dirname(join("/", path)) === join("/", at),
      );
      const ways = [...near.map((path) => basename(path)), ".", ...(at === "" && step % 3 > 0 ? [] : [".."])];
      const way = ways[step % ways.length] ?? ".";
      const next = join("/", at, way).slice(1);
      if (folders.includes(next) || next === "") at = next;
      return way;
    })
    .join("/");
}

/** Whether the kernel finds each link to lead to something below the directory that all are made in. */
function kernelAllows(root: string, made: readonly MadeLink[]): boolean {
  for (const folder of folders) mkdirSync(join(root, folder), { recursive: true });
  for (const file of files) writeFileSync(join(root, file), "x");
  for (const { path, target } of made) symlinkSync(target, join(root, path));
  const inside = realpathSync.native(root);
  return made.every(({ path }) => {
    const end = endOf(join(root, path));
    return end === inside || end?.startsWith(`${inside}/`);
  });
}

function endOf(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch {
    return undefined;
  }
}

/** What comes of vetting an archive and of unpacking it: entries, or what is said. */
async function bothVerdicts(members: readonly TarMember[]) {
  const { input, directory, folder } = await archiveOnDisk(makeTar(members), "tar");
  const said = (error: unknown) => (error as Error).message;
  const vetted = await vetArchive(input).catch(said);
  const unpacked = await unpackArchive(input, directory).catch(said);
  const left = treeOf(folder).length - 1;
  rmSync(folder, { recursive: true });
  return { vetted, unpacked, left };
}

// A hundred small trees are written and removed: seconds on a machine that has other things to do.
describe("vetting", { timeout: 30_000 }, () => {
  it("says of any links what the kernel says, and what unpacking says", async () => {
    let allowed = 0;
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(links, async (made) => {
        const right = kernelAllows(join(await scratchFolder(), "kernel"), made);

        const { vetted, unpacked } = await bothVerdicts([
          ...made.map((link) => ({ ...link, type: "2" })),
          ...folders.map((path) => ({ path, type: "5" })),
          ...files.map((path) => ({ path, body: "x" })),
        ]);

        if (right) allowed += 1;
        else refused += 1;
        expect(vetted).toEqual(unpacked);
        expect(typeof vetted === "object").toBe(right);
      }),
      { numRuns: 120 },
    );
    // The generator must not slide to one side, or this proves nothing.
    expect(Math.min(allowed, refused)).toBeGreaterThan(10);
  });

  it.each([39, 40, 41])("follows as many links as the kernel, with a chain of %d", async (length) => {
    const made = Array.from({ length }, (_, index) => ({ path: `l${index}`, target: `l${index + 1}` }));
    const end = { path: `l${length}`, target: "a/f" };
    // The last link of the chain is the one more.
    const chain = [...made.slice(1), end];
    const right = kernelAllows(join(await scratchFolder(), "kernel"), chain);

    const { vetted, unpacked } = await bothVerdicts([
      { path: "a/f", body: "x" },
      ...chain.map((link) => ({ ...link, type: "2" })),
    ]);

    expect(vetted).toEqual(unpacked);
    expect(typeof vetted === "object").toBe(right);
    expect(right).toBe(length <= 40);
  });

  it("says of any archive what unpacking says, and a refused one leaves nothing", async () => {
    const path = fc
      .array(fc.constantFrom("a", "b", "c", "..", ".", "", "\\"), { minLength: 1, maxLength: 3 })
      .map((parts) => parts.join("/"));
    const member = fc.record({
      path,
      type: fc.constantFrom("0", "0", "0", "1", "2", "5", "5"),
      mode: fc.constantFrom(0o644, 0o644, 0o755, 0o777, 0o4755),
      target: path,
    });

    await fc.assert(
      fc.asyncProperty(fc.array(member, { maxLength: 5 }), async (members) => {
        const { vetted, unpacked, left } = await bothVerdicts(members);

        expect(vetted).toEqual(unpacked);
        expect(left).toBe(typeof unpacked === "string" ? 0 : unpacked.length + 1);
      }),
      { numRuns: 120 },
    );
  });
});
