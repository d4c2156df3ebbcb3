import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, normalize } from "node:path";

import { execa } from "execa";

/** A git repository with somebody's settings, served to whoever reaches this machine. */
export interface DotfilesRemote extends AsyncDisposable {
  readonly url: string;
  /** Of the tag v1. */
  readonly commit: string;
}

/** Opens one at an address of this machine; git fetches from it as from any web server that has files alone. */
export async function openDotfilesRemote(address: string): Promise<DotfilesRemote> {
  const folder = await mkdtemp(join(tmpdir(), "provision-dotfiles-"));
  const [work, bare] = [join(folder, "work"), join(folder, "dotfiles.git")];
  const git = (...args: readonly string[]) =>
    execa("git", ["-C", work, "-c", "user.name=test", "-c", "user.email=test@example.org", ...args]);
  await execa("git", ["init", "-q", "-b", "main", work]);
  await writeFile(join(work, "zshrc"), "FROM_DOTFILES=v1\n");
  await writeFile(join(work, "tmux.conf"), "set -g mouse on\n");
  await git("add", ".");
  await git("commit", "-q", "-m", "Settings");
  await git("tag", "v1");
  const { stdout: commit } = await git("rev-parse", "v1");
  await execa("git", ["clone", "-q", "--bare", work, bare]);
  await execa("git", ["-C", bare, "update-server-info"]);
  const server = createServer((request, response) => {
    const path = join(folder, normalize(new URL(request.url ?? "/", "http://x").pathname));
    readFile(path).then(
      (body) => response.writeHead(200).end(body),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  return {
    url: `http://${address}:${(server.address() as AddressInfo).port}/dotfiles.git`,
    commit,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
