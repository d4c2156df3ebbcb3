import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { dotfiles } from "../../src/tasks/dotfiles/index.ts";
import type { Params } from "../../src/tasks/dotfiles/schema.ts";
import { HereHost } from "../support/here-host.ts";
import { planned, refusal, settle } from "../support/tasks.ts";

let root: string;
let home: string;
let origin: string;
let host: HereHost;

/** A user `bob`, who is whoever runs the test, and a repository with two releases. */
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "provision-dotfiles-"));
  home = join(root, "home");
  origin = join(root, "origin.git");
  mkdirSync(home);
  program("getent", `echo "bob:x:1000:1000:Bob \\$(id) \\\`id\\\`:${home}:/bin/sh"`);
  program("setpriv", 'while [ "${1#--}" != "$1" ]; do shift; done; exec "$@"');
  host = new HereHost(["sh"], { PATH: `${root}/bin:/usr/local/bin:/usr/bin:/bin` });
  git(root, "init", "--quiet", "--bare", "--initial-branch=main", origin);
  git(root, "clone", "--quiet", origin, "work");
  commit({ "zsh/zshrc": "one\n", "tmux.conf": "one\n", "nvim/init.lua": "one\n", ".gitignore": "*.local\n" });
  push("--tags");
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function program(name: string, body: string): void {
  mkdirSync(join(root, "bin"), { recursive: true });
  writeFileSync(join(root, "bin", name), `#!/bin/sh\n${body}\n`);
  chmodSync(join(root, "bin", name), 0o755);
}

function git(where: string, ...args: readonly string[]): string {
  const env = {
    PATH: process.env["PATH"],
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_AUTHOR_NAME: "B",
    GIT_AUTHOR_EMAIL: "b@example.org",
    GIT_COMMITTER_NAME: "B",
    GIT_COMMITTER_EMAIL: "b@example.org",
  };
  return execFileSync("git", ["-C", where, ...args], { env, encoding: "utf8", stdio: "pipe" }).trim();
}

/** Writes files into the work tree of whoever publishes, and commits them. */
function commit(files: Readonly<Record<string, string>>): string {
  for (const [path, text] of Object.entries(files)) put(join(root, "work", path), text);
  git(join(root, "work"), "add", "--all", "--force");
  git(join(root, "work"), "commit", "--quiet", "--message", "Next");
  return git(join(root, "work"), "rev-parse", "HEAD");
}

function push(...more: readonly string[]): void {
  git(join(root, "work"), "push", "--quiet", "--force", origin, "HEAD:main", ...more);
}

function put(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

const inHome = (path: string) => join(home, path);
const read = (path: string) => readFileSync(inHome(path), "utf8");
const headOf = (path = inHome(".dotfiles")) => git(path, "rev-parse", "HEAD");
const latest = () => git(join(root, "work"), "rev-parse", "HEAD");

function use(more: Partial<Params> = {}): Params {
  return { user: "bob", repository: origin, ref: "main", commit: latest(), ...more };
}

const failure = (tail: RegExp, mend = /./) => ({
  code: "ACTION_FAILED",
  message: expect.stringMatching(tail),
  mend: expect.stringMatching(mend),
});

describe("a checkout", () => {
  it("is made at the commit, and found unchanged in one flight", async () => {
    await settle(dotfiles, use(), host);

    expect(headOf()).toBe(latest());
    expect(await settle(dotfiles, use(), host)).toMatchObject({ changed: 0, flights: 1 });
    expect(existsSync(inHome(".dotfiles.provision-new"))).toBe(false);
  });

  it("is ready for work on a branch", async () => {
    await settle(dotfiles, use(), host);

    git(inHome(".dotfiles"), "switch", "--quiet", "main");

    expect(git(inHome(".dotfiles"), "rev-parse", "--abbrev-ref", "main@{upstream}")).toBe("origin/main");
    expect(await settle(dotfiles, use(), host)).toMatchObject({ changed: 0 });
  });

  it("takes the place of an empty directory, over what a killed run left", async () => {
    mkdirSync(inHome(".dotfiles"));
    put(inHome(".dotfiles.provision-new/.git/HEAD"), "half");

    await settle(dotfiles, use(), host);

    expect(headOf()).toBe(latest());
  });

  it("goes to a later commit and back, the second time without the repository", async () => {
    const first = latest();
    await settle(dotfiles, use(), host);
    const second = commit({ "zsh/zshrc": "two\n" });
    push();
    await settle(dotfiles, use(), host);
    expect([headOf(), read(".dotfiles/zsh/zshrc")]).toEqual([second, "two\n"]);
    rmSync(origin, { recursive: true });

    await settle(dotfiles, use({ commit: first }), host);

    expect([headOf(), read(".dotfiles/zsh/zshrc")]).toEqual([first, "one\n"]);
  });

  it("goes to a commit of no branch by its id alone, and on from there", async () => {
    git(origin, "config", "uploadpack.allowAnySHA1InWant", "true");
    const rewritten = commit({ "zsh/zshrc": "two\n" });
    push();
    git(join(root, "work"), "reset", "--quiet", "--hard", "HEAD~");
    const published = commit({ "zsh/zshrc": "three\n" });
    push();

    await settle(dotfiles, { user: "bob", repository: origin, ref: rewritten }, host);
    expect(headOf()).toBe(rewritten);
    await settle(dotfiles, use(), host);

    expect(headOf()).toBe(published);
  });

  it("goes on where its branch was rewritten", async () => {
    await settle(dotfiles, use(), host);
    git(join(root, "work"), "commit", "--quiet", "--amend", "--message", "Again");
    push();

    await settle(dotfiles, use(), host);

    expect(headOf()).toBe(latest());
  });

  it("goes to a tag, and says when that is another commit than the pinned one", async () => {
    const first = latest();
    git(join(root, "work"), "tag", "v1");
    push("--tags");
    await settle(dotfiles, use({ ref: "v1" }), host);
    const second = commit({ "zsh/zshrc": "two\n" });
    git(join(root, "work"), "tag", "--force", "--annotate", "--message", "One", "v1");
    push("--tags");

    await settle(dotfiles, use({ ref: "v1", commit: second }), host);
    const moved = settle(dotfiles, use({ ref: "v1", commit: first }), host);

    await expect(moved).rejects.toMatchObject(
      failure(
        new RegExp(`Cannot find v1 in ${origin}: it must be commit ${first}, is ${second}`),
        /git ls-remote/,
      ),
    );
    expect(headOf()).toBe(second);
  });

  it("goes to another address, and asks it", async () => {
    await settle(dotfiles, use(), host);
    git(root, "clone", "--quiet", "--bare", origin, "moved.git");
    const repository = join(root, "moved.git");

    await settle(dotfiles, use({ repository }), host);

    expect(git(inHome(".dotfiles"), "remote", "get-url", "origin")).toBe(repository);
    await expect(settle(dotfiles, use({ repository: "/nowhere.git" }), host)).rejects.toMatchObject(
      failure(/Cannot fetch main from \/nowhere\.git/),
    );
    expect(git(inHome(".dotfiles"), "remote", "get-url", "origin")).toBe(repository);
  });

  it.each([
    [{ ref: "v9" }, /Cannot find v9 in \S+: it has neither a tag nor a branch of this name/],
    [{ commit: "1".repeat(40) }, /Cannot find main in \S+: it must have commit 1{40}, has not/],
    [{ ref: "1".repeat(40), commit: "1".repeat(40) }, /Cannot find 1{40} in \S+: it has no such commit/],
  ])("says what %j lacks, and leaves nothing visible", async (more, reason) => {
    await expect(settle(dotfiles, use(more), host)).rejects.toMatchObject(failure(reason, /git ls-remote/));

    expect(existsSync(inHome(".dotfiles"))).toBe(false);
  });

  it.each(["/nowhere.git", "http://127.0.0.1:1/dotfiles.git", "ssh://git@127.0.0.1:1/dotfiles.git"])(
    "says that %s cannot be fetched, and what git said",
    async (repository) => {
      await expect(settle(dotfiles, use({ repository }), host)).rejects.toMatchObject(
        failure(
          new RegExp(`(fatal|refused|not appear).*\\n(.*\\n)*Cannot fetch main from ${repository}`),
          /Check that .* is right, and that the target reaches it/,
        ),
      );
    },
  );

  it("is not made when a link would lead nowhere", async () => {
    const wrong = settle(dotfiles, use({ links: { ".zshrc": "zshrc" } }), host);

    await expect(wrong).rejects.toMatchObject(
      failure(/Cannot link zshrc: it must be in commit/, /^Correct "zshrc" in the spec/),
    );
    expect(existsSync(inHome(".dotfiles"))).toBe(false);
  });
});

describe("what the user has changed", () => {
  beforeEach(() => settle(dotfiles, use({ links: { ".zshrc": "zsh/zshrc" } }), host));

  const next = () => {
    commit({ "zsh/zshrc": "two\n", "work.local": "two\n" });
    push();
  };

  it("stops a checkout that would move, and no other", async () => {
    put(inHome(".zshrc"), "mine\n");
    expect(await settle(dotfiles, use(), host)).toMatchObject({ changed: 0, flights: 1 });
    next();

    await expect(settle(dotfiles, use(), host)).rejects.toMatchObject(
      refusal(/must have no changed files before it moves to main, has zsh\/zshrc;/),
    );
    expect(read(".zshrc")).toBe("mine\n");
  });

  it("stops it when it is committed, until it is pushed", async () => {
    const checkout = inHome(".dotfiles");
    put(inHome(".zshrc"), "mine\n");
    git(checkout, "commit", "--quiet", "--all", "--message", "Mine");
    const mine = headOf();
    next();
    await expect(settle(dotfiles, use(), host)).rejects.toMatchObject(
      refusal(/must have no commits of its own before it moves to main, has 1 that no remote has/),
    );
    expect(headOf()).toBe(mine);

    git(checkout, "push", "--quiet", "origin", "HEAD:refs/heads/mine");
    await settle(dotfiles, use(), host);

    expect(headOf()).toBe(latest());
  });

  it("stops it in the midst of a rebase", async () => {
    mkdirSync(inHome(".dotfiles/.git/rebase-merge"));
    next();

    await expect(settle(dotfiles, use(), host)).rejects.toMatchObject(
      refusal(/must have no rebase under way/),
    );
  });

  it.each([
    ["a file that git ignores", "work.local"],
    ["a file that git does not know", "new.conf"],
  ])("is not overwritten: %s", async (_, name) => {
    put(inHome(`.dotfiles/${name}`), "mine\n");
    commit({ [name]: "theirs\n" });
    push();

    await expect(settle(dotfiles, use(), host)).rejects.toMatchObject(
      failure(new RegExp(`would be overwritten[^]*${name}[^]*Cannot check out main in`)),
    );
    expect(read(`.dotfiles/${name}`)).toBe("mine\n");
  });

  it("goes along where it is in nobody's way", async () => {
    put(inHome(".dotfiles/nvim/cache.lua"), "mine\n");
    next();

    await settle(dotfiles, use(), host);

    expect([headOf(), read(".dotfiles/nvim/cache.lua")]).toEqual([latest(), "mine\n"]);
  });
});

describe("settings of the user", () => {
  it("neither run programs nor lead elsewhere", async () => {
    put(
      inHome(".gitconfig"),
      `[url "/nowhere/"]\n  insteadOf = ${root}/\n[core]\n  hooksPath = ${root}/hooks\n`,
    );
    put(join(root, "hooks/post-checkout"), `#!/bin/sh\ntouch ${root}/ran\n`);
    chmodSync(join(root, "hooks/post-checkout"), 0o755);

    await settle(dotfiles, use(), host);

    expect([headOf(), existsSync(join(root, "ran"))]).toEqual([latest(), false]);
  });

  it("make no checkout of a home that is one", async () => {
    git(home, "init", "--quiet");
    put(inHome(".dotfiles/notes"), "mine\n");

    await expect(settle(dotfiles, use(), host)).rejects.toMatchObject(
      refusal(/must be absent or a git checkout, is not/),
    );
  });

  it("are not told with the password in them", async () => {
    git(root, "clone", "--quiet", origin, inHome(".dotfiles"));
    git(inHome(".dotfiles"), "remote", "set-url", "origin", "https://bob:hunter2@git.example.org/b/d@e.git");

    expect(await planned(dotfiles, use(), host)).toEqual([
      [`${home}/.dotfiles remote`, "https://git.example.org/b/d@e.git", origin],
    ]);
  });

  it("are told when git cannot read them", async () => {
    await settle(dotfiles, use(), host);
    put(inHome(".dotfiles/.git/config"), "[core\n");

    await expect(settle(dotfiles, use(), host)).rejects.toMatchObject(
      refusal(/must be a git checkout of bob, is not: fatal: bad config line 1/),
    );
  });
});

describe("links", () => {
  const links = { ".zshrc": "zsh/zshrc", ".config/nvim": "nvim" };

  it("keep what is in their way, whatever it is, and give it back", async () => {
    put(inHome(".config/nvim/init.lua"), "mine\n");
    symlinkSync("/nowhere", inHome(".zshrc"));

    await settle(dotfiles, use({ links }), host);

    expect(read(".config/nvim/init.lua")).toBe("one\n");
    expect(read(".config/nvim.before-provision/init.lua")).toBe("mine\n");
    expect(readlinkSync(inHome(".zshrc.before-provision"))).toBe("/nowhere");
    expect(await settle(dotfiles, use({ links }), host)).toMatchObject({ changed: 0, flights: 1 });

    await settle(dotfiles, use({ links, state: "absent" }), host);

    expect(read(".config/nvim/init.lua")).toBe("mine\n");
    expect(lstatSync(inHome(".config/nvim")).isSymbolicLink()).toBe(false);
    expect(readlinkSync(inHome(".zshrc"))).toBe("/nowhere");
    expect(existsSync(inHome(".config/nvim.before-provision"))).toBe(false);
    expect(headOf()).toBe(latest());
  });

  it("give back what was there last", async () => {
    for (const text of ["first\n", "second\n"]) {
      rmSync(inHome(".zshrc"), { force: true });
      put(inHome(".zshrc"), text);
      await settle(dotfiles, use({ links }), host);
    }

    await settle(dotfiles, use({ links, state: "absent" }), host);

    expect(read(".zshrc")).toBe("second\n");
    expect(read(".zshrc.before-provision")).toBe("first\n");
    expect(await settle(dotfiles, use({ links, state: "absent" }), host)).toMatchObject({ changed: 0 });
  });

  it("follow what the spec says, without a backup of their own", async () => {
    await settle(dotfiles, use({ links }), host);

    await settle(dotfiles, use({ links: { ".zshrc": "tmux.conf" } }), host);

    expect(readlinkSync(inHome(".zshrc"))).toBe(inHome(".dotfiles/tmux.conf"));
    expect(existsSync(inHome(".zshrc.before-provision"))).toBe(false);
  });

  it("are right when somebody else's lead to the same", async () => {
    await settle(dotfiles, use(), host);
    symlinkSync(".dotfiles/zsh/zshrc", inHome(".zshrc"));

    expect(await settle(dotfiles, use({ links: { ".zshrc": "zsh/zshrc" } }), host)).toMatchObject({
      changed: 0,
    });
  });

  it("are refused below what is no directory, and inside of the checkout", async () => {
    put(inHome(".config"), "mine\n");
    await expect(settle(dotfiles, use({ links }), host)).rejects.toMatchObject(
      refusal(/\/\.config" must be a directory, for the link/),
    );
    rmSync(inHome(".config"));
    await settle(dotfiles, use(), host);
    symlinkSync(inHome(".dotfiles/zsh"), inHome(".config"));

    await expect(settle(dotfiles, use({ links }), host)).rejects.toMatchObject(
      refusal(/\/\.config" leads into it/),
    );
  });

  it("of odd names are made too", async () => {
    const odd = 'it\'s "$HOME" *';
    commit({ [odd]: "odd\n" });
    push();

    await settle(dotfiles, use({ links: { [odd]: odd } }), host);

    expect(read(odd)).toBe("odd\n");
    expect(await settle(dotfiles, use({ links: { [odd]: odd } }), host)).toMatchObject({ changed: 0 });
  });
});
