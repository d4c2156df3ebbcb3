import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, it } from "vitest";

import type { Architecture } from "../../src/provisioner/core/tool-pin.ts";
import { programKind, programWords, runsOn } from "../../src/provisioner/tools/program-kind.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

/** The beginning of an ELF header (elf.h): class, byte order, then the machine at offset 18. */
function elf(machine: number, isBig = false): Buffer {
  const head = Buffer.alloc(64);
  head.write("\u007FELF", "latin1");
  head[4] = 2;
  head[5] = isBig ? 2 : 1;
  if (isBig) head.writeUInt16BE(machine, 18);
  else head.writeUInt16LE(machine, 18);
  return head;
}

it.each<[string, Buffer, string, readonly Architecture[]]>([
  ["an x86_64 program", elf(62), "an ELF program for x86_64", ["x86_64"]],
  ["an aarch64 program", elf(183), "an ELF program for aarch64", ["aarch64"]],
  ["one for a big machine", elf(183, true), "an ELF program for aarch64", ["aarch64"]],
  ["one for another machine", elf(8), "an ELF program for machine 8", []],
  ["a script", Buffer.from("#!/bin/sh\n"), "a script", ["x86_64", "aarch64"]],
  ["a page", Buffer.from("<!DOCTYPE html>"), "an HTML or XML page", []],
  ["an archive", Buffer.from([0x1f, 0x8b, 8]), "gzip data", []],
  ["a header that was cut", elf(62).subarray(0, 12), "neither an ELF program nor a script", []],
  ["nothing", Buffer.alloc(0), "an empty file", []],
])("knows %s by its bytes", async (_what, body, words, machines) => {
  const path = join(await scratchFolder(), "file");
  await writeFile(path, body);

  const kind = await programKind(path);

  expect(programWords(kind)).toBe(words);
  expect((["x86_64", "aarch64"] as const).filter((each) => runsOn(kind, each))).toEqual(machines);
});
