import { lstat, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { execa } from "execa";
import { expect, it } from "vitest";

import {
  isOnPath,
  removePathBlock,
  startFile,
  writePathBlock,
} from "../../src/provisioner/tools/shell-path.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

it.each([
  ["/bin/bash", {}, "/home/a/.bashrc"],
  ["/usr/bin/zsh", {}, "/home/a/.zshrc"],
  ["/usr/bin/zsh", { ZDOTDIR: "/home/a/zsh" }, "/home/a/zsh/.zshrc"],
  ["/usr/bin/fish", {}, "/home/a/.config/fish/conf.d/provision.fish"],
  ["/usr/bin/fish", { XDG_CONFIG_HOME: "/c" }, "/c/fish/conf.d/provision.fish"],
  ["/bin/dash", {}, "/home/a/.profile"],
])("writes to the file that %s reads, with %j", (shell, env, file) => {
  expect(startFile({ home: "/home/a", env: { SHELL: shell, ...env } })).toBe(file);
});

it.each([
  ["/usr/bin:/home/a/bin", true],
  ["/home/a/bin/:/usr/bin", true],
  ["/usr/bin:/home/a/bin2", false],
  ["", false],
])("sees in %j whether a directory is on it", (path, is) => {
  expect(isOnPath("/home/a/bin", { env: { PATH: path } })).toBe(is);
});

it("keeps what is around the block, and writes it once", async () => {
  const home = await scratchFolder();
  const shell = { home, env: { SHELL: "/bin/bash" } };
  await writeFile(join(home, ".bashrc"), "first");

  const wrote = [writePathBlock("/a/bin", shell), writePathBlock("/a/bin", shell)];
  await writeFile(join(home, ".bashrc"), `${await readFile(join(home, ".bashrc"), "utf8")}last\n`);
  const moved = writePathBlock("/b/bin", shell);
  const text = await readFile(join(home, ".bashrc"), "utf8");
  const removed = [removePathBlock(shell), removePathBlock(shell)];

  expect([...wrote, moved]).toEqual([true, false, true]);
  expect(text).toMatch(/^first\n# >>> provision.*\n.*\/b\/bin.*\n# <<< provision.*\nlast\n$/);
  expect(text).not.toContain("/a/bin");
  expect(removed).toEqual([true, false]);
  expect(await readFile(join(home, ".bashrc"), "utf8")).toBe("first\nlast\n");
});

it("changes the file behind a link, and leaves the link", async () => {
  const home = await scratchFolder();
  await mkdir(join(home, "dotfiles"));
  await writeFile(join(home, "dotfiles/bashrc"), "mine\n");
  await symlink("dotfiles/bashrc", join(home, ".bashrc"));

  writePathBlock("/a/bin", { home, env: { SHELL: "bash" } });

  expect((await lstat(join(home, ".bashrc"))).isSymbolicLink()).toBe(true);
  expect(await readFile(join(home, "dotfiles/bashrc"), "utf8")).toContain("/a/bin");
});

it("quotes a directory with a space, a quote and a dollar", async () => {
  const home = await scratchFolder();
  const shell = { home, env: { SHELL: "/bin/sh" } };
  const directory = "/a b/it's/$HOME/bin";
  writePathBlock(directory, shell);

  const { stdout } = await execa("sh", ["-c", `. ${home}/.profile; . ${home}/.profile; echo "$PATH"`], {
    env: { PATH: "/usr/bin" },
    extendEnv: false,
  });

  expect(stdout).toBe(`${directory}:/usr/bin`);
});
