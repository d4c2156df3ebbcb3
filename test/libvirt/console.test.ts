import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { cleanConsole, consoleSize, readConsoleTail } from "../../src/provisioner/libvirt/console.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "provision-console-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("cleanConsole", () => {
  it.each([
    ["colours", "\u001b[0;32m  OK  \u001b[0m Started", "  OK   Started"],
    ["cursor moves", "\u001b[2J\u001b[01;01Hlogin:", "login:"],
    ["resets and sizes of a terminal", "\u001b[!p\u001b[32766;32766H\u001b(Btext", "text"],
    ["a window title", "\u001b]0;evil\u0007text", "text"],
    ["bells and other controls", "a\u0007b\u0000c\u007fd\u0085e", "abcde"],
    ["carriage returns", "one\r\r\ntwo\rthree\r\n", "one\ntwo\nthree"],
    ["blank lines", "a\n\n \nb", "a\nb"],
    ["an escape cut off at the end", "text\u001b", "text"],
  ])("takes out %s", (_title, raw, clean) => {
    expect(cleanConsole(raw)).toBe(clean);
  });

  it("keeps tabs and letters of any language", () => {
    expect(cleanConsole("a\tü 漢")).toBe("a\tü 漢");
  });
});

describe("readConsoleTail", () => {
  it("gives the last lines when the log is longer than it looks at", async () => {
    const path = join(folder, "log");
    const lines = Array.from({ length: 20_000 }, (_, n) => `line ${n}`);
    await writeFile(path, `${lines.join("\r\n")}\r\n`);

    const tail = await readConsoleTail(path, 3);

    expect(tail).toBe("line 19997\nline 19998\nline 19999");
    expect(await consoleSize(path)).toBe(lines.join("\r\n").length + 2);
  });

  it("is empty when there is no log", async () => {
    expect(await readConsoleTail(join(folder, "none"))).toBe("");
    expect(await consoleSize(join(folder, "none"))).toBe(0);
  });
});
