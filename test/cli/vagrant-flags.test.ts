import { expect, it } from "vitest";

import { runProgram } from "../../src/provisioner/cli/program.ts";
import { fakeShell } from "../support/fake-shell.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

async function complaint(...args: string[]): Promise<unknown> {
  const folder = await scratchFolder();
  const shell = fakeShell(folder, { XDG_STATE_HOME: folder });
  try {
    const exitCode = await runProgram(args, shell);
    return { exitCode, message: shell.err.join("") };
  } catch (error) {
    return error;
  }
}

it.each([
  [["apply", "--spec", "base"], /must be named by --target or --vagrant/],
  [["apply", "--spec", "base", "--vagrant", "--target", "web1"], /--vagrant.*cannot be used with.*--target/],
  [["apply", "--spec", "base", "--vagrant", "--known-hosts", "f"], /cannot be used with.*--known-hosts/],
  [["test", "--vagrant", "--fresh"], /--vagrant.*cannot be used with.*--fresh/],
  [["test", "--vagrant", "--base", "debian-12"], /cannot be used with.*--base/],
])("refuses %j", async (args, says) => {
  expect(await complaint(...args)).toMatchObject({ code: "USAGE", message: expect.stringMatching(says) });
});

it.each([
  [["base", "cake"], 2, /Cannot make "cake" of a base: must be box/],
  [["base", "box", "--base", "debian-1"], 2, /debian-1/],
])("ends %j with %i", async (args, exitCode, says) => {
  expect(await complaint(...args)).toEqual({ exitCode, message: expect.stringMatching(says) });
});
