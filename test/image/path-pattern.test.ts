import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, it } from "vitest";

import { matchesPattern } from "../../src/provisioner/image/path-pattern.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

const names = ["a", "a.conf", ".a", ".a.conf", "axconf", "ssh_host_rsa_key", "a+b", "a(b", "..x"];

it.each(["*", ".*", ".[!.]*", "*.conf", "ssh_host_*", "a.conf", "a+b", "a(b", "*_*_*"])(
  "takes %s as the shell does",
  async (pattern) => {
    const folder = await scratchFolder();
    for (const name of names) writeFileSync(join(folder, name), "");
    // The parenthesis is the shell's own, so it stands quoted in what the shell gets.
    const asked = `for x in ${pattern.replaceAll("(", "\\(")}; do [ ! -f "$x" ] || echo "$x"; done`;
    const shell = execFileSync("sh", ["-c", asked], { cwd: folder, encoding: "utf8" });

    expect(names.filter((name) => matchesPattern(name, pattern)).toSorted()).toEqual(
      shell.split("\n").filter(Boolean).toSorted(),
    );
  },
);
