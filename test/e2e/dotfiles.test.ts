import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";

import { baseSettings } from "../../src/provisioner/image/base-settings.ts";
import { eventsOf, launch, type LaunchedRun } from "../support/launcher.ts";
import { startSystemdHost, type SystemdHost, whyNoSystemdHost } from "../support/systemd-host.ts";
import { systemdRoot } from "../support/systemd-root.ts";

const why = whyNoSystemdHost();
const { cacheDir } = baseSettings({ env: process.env, home: homedir(), isRoot: true });

const origin = "/srv/git/dotfiles.git";
const links = { ".zshrc": "zsh/zshrc", ".tmux.conf": "tmux/tmux.conf", ".config/nvim": "nvim" };
const login = { "login-shell": { user: "bob", shell: "/usr/bin/zsh" } };
const user = { user: { name: "bob", shell: "/bin/bash" } };
const packages = { apt: { present: ["git", "zsh"] } };

// One machine: what is done to it is done in this order.
describe.skipIf(why !== undefined)(
  `a user's dotfiles${why ? ` (skipped: ${why})` : ""}`,
  { shuffle: false },
  () => {
    let host: SystemdHost;
    let folder: string;
    let releases: readonly string[];

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "provision-test-"));
      await mkdir(join(folder, "specs"));
      await writeFile(join(folder, "versions.yaml"), stringify({ bases: {}, tools: {} }));
      host = await startSystemdHost(await systemdRoot(cacheDir));
    });

    afterAll(async () => {
      await host[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    });

    async function apply(tasks: readonly object[], ...more: readonly string[]): Promise<LaunchedRun> {
      await writeFile(join(folder, "specs/dots.yaml"), stringify({ base: "debian-13", tasks }));
      return launch(["apply", "--spec", "dots", ...host.login, ...more], { env: { PROVISION_HOME: folder } });
    }

    const dotfiles = (more: object = {}) => ({
      dotfiles: { user: "bob", repository: origin, ref: "v1", commit: releases[0], links, ...more },
    });
    const upgraded = (more: object = {}) => dotfiles({ ref: "v2", commit: releases[1], ...more });
    const asBob = (script: string) => host.sh(`runuser -u bob -- sh -ec '${script}'`);
    const head = () => asBob("git -C ~bob/.dotfiles rev-parse HEAD");

    it("refuses a user, a shell and a git that are not there, and says what brings them", async () => {
      releases = ["1".repeat(40), "2".repeat(40)];

      const nobody = await apply([dotfiles()]);
      const shellless = await apply([user, login]);
      const gitless = await apply([user, dotfiles()]);

      expect(refused(nobody)).toMatch(/"bob" must be a user, is none; put a `user` use before it/);
      expect(refused(shellless)).toMatch(
        /"\/usr\/bin\/zsh" must be a program, .*`apt: \{ present: \[zsh\] \}`/,
      );
      expect(refused(gitless)).toMatch(/git must be installed, is not; put `apt: \{ present: \[git\] \}`/);
    });

    it("plans what only an earlier use makes possible as what may change", async () => {
      const planned = await apply([packages, login, dotfiles()], "--check");

      expect(planned.exitCode).toBe(3);
      expect(eventsOf(planned, "use-ended").map(({ outcome }) => outcome)).toEqual([
        "would-change",
        "may-change",
        "may-change",
      ]);
    });

    it("checks out and links as the user, keeps what was there, and is unchanged the second time", async () => {
      expect(outcome(await apply([packages]))).toEqual([0, []]);
      releases = await publish(host);
      await asBob("mkdir -p ~/.config/nvim; echo mine >~/.config/nvim/init.lua; echo mine >~/.zshrc");

      const first = await apply([packages, user, login, dotfiles()], "--skip", "user");
      const second = await apply([packages, login, dotfiles()]);

      expect(outcome(first)).toEqual([0, []]);
      expect(
        eventsOf(first, "use-ended")
          .at(-1)
          ?.changes.map(({ what, from }) => [what, from]),
      ).toEqual([
        ["/home/bob/.dotfiles", undefined],
        ["/home/bob/.zshrc", "file, kept as .zshrc.before-provision"],
        ["/home/bob/.tmux.conf", undefined],
        ["/home/bob/.config/nvim", "directory, kept as .config/nvim.before-provision"],
      ]);
      expect(outcome(second)).toEqual([0, []]);
      expect(eventsOf(second, "result")[0]?.data).toMatchObject({ changed: 0, flights: 1 });
      expect(await head()).toBe(releases[0]);
      expect(
        await asBob("cat ~/.zshrc ~/.zshrc.before-provision ~/.config/nvim.before-provision/init.lua"),
      ).toBe("one\nmine\nmine");
      expect(await host.sh("find ~bob ! -user bob; getent passwd bob | cut -d: -f7")).toBe("/usr/bin/zsh");
    });

    it("goes to another release", async () => {
      const moved = await apply([upgraded()]);

      expect(outcome(moved)).toEqual([0, []]);
      expect(await asBob("cat ~/.zshrc")).toBe("two");
      expect(await head()).toBe(releases[1]);
    });

    it("loses nothing that the user has changed or committed", async () => {
      await asBob("echo changed >~/.zshrc");

      const matching = await apply([upgraded()]);
      const dirty = await apply([dotfiles()]);
      await asBob("cd ~/.dotfiles; git -c user.name=Bob -c user.email=bob@example.org commit -qam Mine");
      const mine = await head();
      const ahead = await apply([dotfiles()]);

      expect(eventsOf(matching, "result")[0]?.data).toMatchObject({ changed: 0, flights: 1 });
      expect(refused(dirty)).toMatch(
        /must have no changed files before it moves to v1, has zsh\/zshrc; commit and push/,
      );
      expect(refused(ahead)).toMatch(
        /must have no commits of its own .*, has 1 that no remote has; push them there/,
      );
      expect([await head(), await asBob("cat ~/.zshrc")]).toEqual([mine, "changed"]);
      await asBob(
        "git -C ~/.dotfiles checkout -q v2 2>/dev/null || git -C ~/.dotfiles checkout -q refs/provision/tags/v2",
      );
    });

    it("says which repository and which ref it cannot get, and what git said", async () => {
      const missing = await apply([dotfiles({ ref: "v9", commit: "9".repeat(40) })]);
      const moved = await apply([dotfiles({ repository: "/srv/git/nowhere.git" })]);
      const down = await apply([dotfiles({ repository: "http://127.0.0.1:1/dotfiles.git" })]);

      expect(failed(missing)).toMatch(
        /Cannot find v9 in \/srv\/git\/dotfiles.git: it has neither a tag nor a branch/,
      );
      expect(failed(moved)).toMatch(
        /'\/srv\/git\/nowhere.git' does not appear[^]*Cannot fetch v1 from \/srv\/git\/nowhere/,
      );
      expect(failed(down)).toMatch(
        /(refused|Failed to connect)[^]*Cannot fetch v1 from http:\/\/127.0.0.1:1\/dotfiles.git/,
      );
      expect(eventsOf(down, "error")[0]?.mend).toMatch(/`git ls-remote http:\/\/127.0.0.1:1\/dotfiles.git`/);
      expect(await head()).toBe(releases[1]);
    });

    it("does no more for a user than the user may do", async () => {
      // Planted: root would follow both.
      await host.sh("install -d -m 700 /srv/secret; install -m 600 /dev/null /srv/secret/file");
      await asBob(
        "rm -rf ~/.config; ln -s /srv/secret ~/.config; rm ~/.tmux.conf; ln -s /srv/secret/file ~/.tmux.conf",
      );

      const planted = await apply([upgraded()]);

      expect(failed(planted)).toMatch(/Permission denied/);
      expect(await host.sh("ls -A /srv/secret; stat -c %s%U /srv/secret/file")).toBe("file\n0root");
      await asBob("rm ~/.config; mkdir ~/.config");
      expect(outcome(await apply([upgraded()]))).toEqual([0, []]);
      expect(await asBob("readlink ~/.tmux.conf.before-provision")).toBe("/srv/secret/file");
    });

    it("reads a password from the user's own file, and tells nobody", async () => {
      await using server = await serveWithPassword(join(host.root, origin));
      const at = { repository: `${server.url}/dotfiles.git`, path: "~/.private", links: {} };

      const locked = await apply([dotfiles(at)]);
      const spoken = await apply([
        dotfiles({ ...at, repository: at.repository.replace("//", "//bob:hunter2@") }),
      ]);
      await asBob(`umask 077; echo ${server.url.replace("//", "//bob:hunter2@")} >~/.git-credentials`);
      const opened = await apply([dotfiles(at)]);

      expect(failed(locked)).toMatch(/could not read Username/);
      expect(eventsOf(locked, "error")[0]?.mend).toMatch(/~\/\.git-credentials of the user/);
      expect(refused(spoken)).toMatch(/must have no user or password in its address/);
      expect(outcome(opened)).toEqual([0, []]);
      for (const done of [locked, spoken, opened]) expect(await everything(done)).not.toContain("hunter2");
      expect(await host.sh("cat ~bob/.private/.git/config")).not.toContain("hunter2");
    });

    it("puts back what was there before, and leaves the checkout", async () => {
      const gone = await apply([upgraded({ state: "absent" })]);
      const again = await apply([upgraded({ state: "absent" })]);

      expect(outcome(gone)).toEqual([0, []]);
      expect(eventsOf(again, "result")[0]?.data).toMatchObject({ changed: 0, flights: 1 });
      expect(await asBob("cat ~/.zshrc; readlink ~/.tmux.conf; ls -A ~/.config")).toBe(
        "mine\n/srv/secret/file",
      );
      expect(await head()).toBe(releases[1]);
    });
  },
);

const outcome = (done: LaunchedRun) => [done.exitCode, eventsOf(done, "error")];

function failed(done: LaunchedRun, code = "ACTION_FAILED"): string {
  const [error] = eventsOf(done, "error");
  expect([done.exitCode, error?.code]).toEqual([5, code]);
  return error?.message ?? "";
}

const refused = (done: LaunchedRun) => failed(done, "TASK_REFUSED");

/** All that a run has told anybody: its events, and its log. */
async function everything(done: LaunchedRun): Promise<string> {
  const log = eventsOf(done, "run-started")[0]?.log;
  return JSON.stringify(done.events) + done.stderr + (log === undefined ? "" : await readFile(log, "utf8"));
}

/** A bare repository of root's on the machine, with two releases; gives their commits. */
async function publish(host: SystemdHost): Promise<readonly string[]> {
  const commits = await host.sh(`
    export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=Bob GIT_AUTHOR_EMAIL=bob@example.org
    export GIT_COMMITTER_NAME=Bob GIT_COMMITTER_EMAIL=bob@example.org
    git init -q --bare -b main ${origin} && git clone -q ${origin} /srv/work 2>/dev/null && cd /srv/work
    mkdir zsh tmux nvim && echo set >tmux/tmux.conf && echo vim >nvim/init.lua
    for release in one two; do
      echo $release >zsh/zshrc
      git add . && git commit -q -m $release && git tag v$((number += 1)) && git rev-parse HEAD
    done
    git push -q origin HEAD:main --tags
    git -C ${origin} update-server-info`);
  return commits.split("\n");
}

/** The files of a repository, for whoever knows bob's password. */
async function serveWithPassword(path: string): Promise<AsyncDisposable & { readonly url: string }> {
  const expected = `Basic ${Buffer.from("bob:hunter2").toString("base64")}`;
  const server: Server = createServer((request, response) => {
    if (request.headers.authorization !== expected) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="git"' }).end();
      return;
    }
    const [place = ""] = (request.url ?? "").replace("/dotfiles.git", "").split("?");
    readFile(join(path, place)).then(
      (body) => response.writeHead(200).end(body),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
