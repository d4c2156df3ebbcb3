import { describe, expect, it } from "vitest";

import type { FactAnswer } from "../../src/provisioner/core/facts.ts";
import { digest } from "../../src/provisioner/host/readers/digest.ts";
import { file } from "../../src/provisioner/host/readers/file.ts";
import { stat } from "../../src/provisioner/host/readers/stat.ts";
import { section } from "../support/section.ts";

const absent: FactAnswer = { value: undefined };
const sum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

describe("stat", () => {
  it("reads files, directories, links and the rest", () => {
    const stdout = printed(
      ["/etc/hosts", "f", "644", "root", "root", "120", ""],
      ["/etc", "d", "755", "root", "root", "4096", ""],
      ["/a b\nc", "l", "777", "1000", "games", "5", "to\nthere"],
      ["/pipe", "p", "0", "root", "root", "0", ""],
      ["/usr/bin/su", "f", "4755", "root", "root", "9", ""],
    );

    const answers = stat.parse(section({ stdout }), [
      "/etc/hosts",
      "/etc",
      "/a b\nc",
      "/pipe",
      "/usr/bin/su",
    ]);

    expect(answers).toEqual([
      { value: { type: "file", mode: "0644", owner: "root", group: "root", size: 120, target: undefined } },
      {
        value: {
          type: "directory",
          mode: "0755",
          owner: "root",
          group: "root",
          size: 4096,
          target: undefined,
        },
      },
      {
        value: { type: "symlink", mode: "0777", owner: "1000", group: "games", size: 5, target: "to\nthere" },
      },
      { value: { type: "other", mode: "0000", owner: "root", group: "root", size: 0, target: undefined } },
      { value: { type: "file", mode: "4755", owner: "root", group: "root", size: 9, target: undefined } },
    ]);
  });

  it("tells what is not there from what cannot be seen", () => {
    const stdout = printed(["/b", "f", "644", "root", "root", "1", ""]);
    const stderr = [
      "find: '/a': No such file or directory",
      "find: '/c/d': Not a directory",
      "find: '/e': Permission denied",
      "find: '/f\\n\"\\'g': Input/output error",
    ].join("\n");

    const answers = stat.parse(section({ stdout, stderr, code: 1 }), ["/a", "/b", "/c/d", "/e", "/f\n\"'g"]);

    expect(answers.map((answer) => ("unknown" in answer ? answer.unknown : answer.value && "there"))).toEqual(
      [undefined, "there", undefined, "Permission denied", "Input/output error"],
    );
  });

  it.each([
    ["says less than it should", "find: '/a': No such file or directory"],
    [
      "speaks of another path",
      "find: '/a': No such file or directory\nfind: '/x': No such file or directory",
    ],
    ["says nothing", ""],
    ["does not know its options", "find: unrecognized: -printf"],
  ])("calls nothing absent when find %s", (_, stderr) => {
    const answers = stat.parse(section({ stderr, code: 1 }), ["/a", "/b"]);

    expect(answers).toEqual([{ unknown: expect.any(String) }, { unknown: expect.any(String) }]);
  });
});

it("calls no oddly named path absent when find complains of more than was asked", () => {
  const stderr = "find: '/x': No such file or directory\nfind: '/b\\\\c': Permission denied\n";

  expect(stat.parse(section({ stderr, code: 1 }), ["/b\\c"])).toEqual([{ unknown: expect.any(String) }]);
});

describe("file", () => {
  const records = "/a\0f\x003\0ext4\0/empty\0f\x000\0ext4\0/dir\0d\x004096\0ext4\0/b c\0f\x005\0tmpfs\0\0";

  it("cuts the contents by their sizes", () => {
    const answers = file.parse(section({ stdout: `${records}A\0\nBBBB\n` }), [
      "/b c",
      "/a",
      "/empty",
      "/dir",
    ]);

    expect(answers).toEqual([
      { value: "BBBB\n" },
      { value: "A\0\n" },
      { value: "" },
      { unknown: "is not a regular file" },
    ]);
  });

  it.each(["AA\nBBBB", "AA\nBBBB\n+"])(
    "knows no content when a file changed while it was read: %j",
    (contents) => {
      const answers = file.parse(section({ stdout: records + contents }), ["/a", "/b c", "/empty"]);

      expect(answers).toEqual([
        { unknown: "changed while read" },
        { unknown: "changed while read" },
        { value: "" },
      ]);
    },
  );

  it("loses only the file that cannot be opened", () => {
    const stderr = "cat: /a: Permission denied\n";

    const answers = file.parse(section({ stdout: `${records}BBBB\n`, stderr, code: 1 }), ["/a", "/b c"]);

    expect(answers).toEqual([{ unknown: "Permission denied" }, { value: "BBBB\n" }]);
  });

  it("keeps what came before the cap", () => {
    const stdout = Buffer.from(`${records}AA\nBB`);

    const answers = file.parse({ ...section({ stdout, truncated: true }), size: stdout.length + 3 }, [
      "/a",
      "/b c",
    ]);

    expect(answers).toEqual([{ value: "AA\n" }, { unknown: expect.stringContaining("truncated") }]);
  });

  it("takes no bytes for text that are none, and no kernel's word for a file", () => {
    const head =
      "/bin\0f\x002\0ext4\0/mtab\0f\x000\0proc\0/s\0f\x004096\0sysfs\0/big\0f\x009999999\0ext4\0\0";
    const stdout = Buffer.concat([Buffer.from(head), Buffer.from([0xff, 0xfe])]);

    const answers = file.parse(section({ stdout }), ["/bin", "/mtab", "/s", "/big"]);

    expect(answers).toEqual([
      { unknown: "is not UTF-8 text" },
      { unknown: "is on proc, where files have no lasting content" },
      { unknown: "is on sysfs, where files have no lasting content" },
      { unknown: "truncated: is 9999999 bytes, at most 1048576 are read" },
    ]);
  });

  it("keeps a byte order mark", () => {
    const answers = file.parse(section({ stdout: "/a\0f\x004\0ext4\0\0\ufeffx" }), ["/a"]);

    expect(answers).toEqual([{ value: "\ufeffx" }]);
  });
});

describe("digest", () => {
  it("reads sums, and what is none", () => {
    const stdout = `/a\0f\0ext4\0/dir\0d\0ext4\0/b c\0f\0ext4\0/denied\0f\0ext4\0${sum}  /a\0${sum}  /b c\0`;
    const stderr = "find: '/none': No such file or directory\nsha256sum: /denied: Permission denied\n";

    const answers = digest.parse(section({ stdout, stderr, code: 1 }), [
      "/a",
      "/b c",
      "/dir",
      "/none",
      "/denied",
    ]);

    expect(answers).toEqual([
      { value: sum },
      { value: sum },
      { unknown: "is not a regular file" },
      absent,
      { unknown: "sha256sum: /denied: Permission denied" },
    ]);
  });
});

function printed(...records: string[][]): string {
  return records.map((words) => `${words.join("\0")}\0`).join("");
}
