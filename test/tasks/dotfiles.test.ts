import { describe, expect, it } from "vitest";

import { emptyHost } from "../../src/provisioner/core/empty-host.ts";
import { dotfiles } from "../../src/tasks/dotfiles/index.ts";
import { readLook } from "../../src/tasks/dotfiles/look.ts";
import type { Params } from "../../src/tasks/dotfiles/schema.ts";
import { checkOut } from "../support/fake-dotfiles.ts";
import { emptyMachine } from "../support/fake-host.ts";
import { accepts, planned, refusal, settle } from "../support/tasks.ts";

const older = "1".repeat(40);
const commit = "2".repeat(40);
const repository = "https://git.example.org/bob/dotfiles.git";
const pinned = { user: "bob", repository, ref: "v2", commit };
const linked = { ...pinned, links: { ".zshrc": "zsh/zshrc", ".config/nvim": "nvim" } };
const place = "/home/bob/.dotfiles";

function machineWith(...state: readonly string[]) {
  const host = emptyMachine();
  checkOut(host, place, `url ${repository}`, ...state);
  return host;
}

describe("dotfiles", () => {
  it("checks out, then links", async () => {
    const host = emptyMachine();

    await settle(dotfiles, linked, host);

    expect(host.journal).toEqual([
      `run provision-dotfiles bob ~/.dotfiles v2 ${commit} ${repository} zsh/zshrc nvim`,
      "run provision-dotfiles-link bob ~/.dotfiles .zshrc zsh/zshrc",
      "run provision-dotfiles-link bob ~/.dotfiles .config/nvim nvim",
    ]);
    expect(host.files.stat("/home/bob/.config/nvim")?.target).toBe(`${place}/nvim`);
  });

  it("says what it changes", async () => {
    expect(await planned(dotfiles, linked)).toEqual([
      [place, undefined, commit],
      ["/home/bob/.zshrc", undefined, `link to ${place}/zsh/zshrc`],
      ["/home/bob/.config/nvim", undefined, `link to ${place}/nvim`],
    ]);
  });

  it("is planned where there is no machine yet", async () => {
    expect(await planned(dotfiles, { ...pinned, links: { ".vimrc": "vimrc" } }, emptyHost())).toEqual([
      ["~/.dotfiles", undefined, commit],
      ["~/.vimrc", undefined, "link to ~/.dotfiles/vimrc"],
    ]);
  });

  it("moves a checkout to what is pinned, and to another address", async () => {
    const host = machineWith(`head ${older}`);

    expect(await planned(dotfiles, { ...pinned, repository: "/srv/git/dotfiles.git" }, host)).toEqual([
      [place, older, commit],
      [`${place} remote`, repository, "/srv/git/dotfiles.git"],
    ]);
  });

  it("changes the address alone where the commit is right", async () => {
    const host = machineWith(`head ${commit}`);

    await settle(dotfiles, { ...pinned, repository: "/srv/git/dotfiles.git" }, host);

    expect(host.journal).toEqual([
      `run provision-dotfiles bob ~/.dotfiles v2 ${commit} /srv/git/dotfiles.git`,
    ]);
  });

  it("keeps what is in the way, and says where", async () => {
    const host = machineWith(`head ${commit}`);
    host.files.write("/home/bob/.zshrc", "mine\n");
    host.files.write("/home/bob/.zshrc.before-provision", "older\n");
    const params = { ...pinned, links: { ".zshrc": "zsh/zshrc" } };

    expect(await planned(dotfiles, params, host)).toEqual([
      ["/home/bob/.zshrc", "file, kept as .zshrc.before-provision.1", `link to ${place}/zsh/zshrc`],
    ]);
    await settle(dotfiles, params, host);

    expect(host.files.read("/home/bob/.zshrc.before-provision")).toBe("older\n");
    expect(host.files.read("/home/bob/.zshrc.before-provision.1")).toBe("mine\n");
  });

  it("keeps somebody else's link, and no link of its own", async () => {
    const host = machineWith(`head ${commit}`);
    host.files.symlink("/home/bob/.zshrc", "/srv/zshrc");
    host.files.directory("/home/bob/.config");
    host.files.symlink("/home/bob/.config/nvim", `${place}/vim`);

    expect((await planned(dotfiles, linked, host)).map(([, from]) => from)).toEqual([
      "link to /srv/zshrc, kept as .zshrc.before-provision",
      `link to ${place}/vim`,
    ]);
  });

  it("removes its links when absent, puts back what there was, and leaves the checkout", async () => {
    const host = emptyMachine();
    host.files.write("/home/bob/.zshrc", "mine\n");
    await settle(dotfiles, linked, host);
    const gone = { ...linked, state: "absent" as const };

    expect(await planned(dotfiles, gone, host)).toEqual([
      [
        "/home/bob/.zshrc",
        `link to ${place}/zsh/zshrc`,
        "what it was before, kept as .zshrc.before-provision",
      ],
      ["/home/bob/.config/nvim", `link to ${place}/nvim`, undefined],
    ]);
    await settle(dotfiles, gone, host);

    expect(host.files.read("/home/bob/.zshrc")).toBe("mine\n");
    expect(host.files.stat("/home/bob/.config/nvim")).toBeUndefined();
    expect(host.files.stat(place)?.type).toBe("directory");
    expect(await settle(dotfiles, gone, host)).toMatchObject({ changed: 0, flights: 1 });
  });

  it("leaves what is not its own when absent, and a user who is gone", async () => {
    const host = emptyMachine();
    host.files.write("/home/bob/.zshrc", "mine\n");
    const gone = { ...linked, state: "absent" as const };

    expect(await settle(dotfiles, gone, host)).toMatchObject({ changed: 0 });
    expect(await settle(dotfiles, { ...gone, user: "carol" }, host)).toMatchObject({ changed: 0 });
  });

  it.each([
    [
      ["dirty zsh/zshrc", "dirty nvim/init.lua"],
      /must have no changed files before it moves to v2, has zsh\/zshrc, nvim/,
    ],
    [
      ["ahead 3"],
      /must have no commits of its own before it moves to v2, has 3 that no remote has; push them/,
    ],
    [["busy rebase", "dirty zsh/zshrc"], /must have no rebase under way/],
    [["broken fatal: bad config line 1"], /must be a git checkout of bob, is not: fatal: bad config line 1/],
  ])("refuses to move a checkout with %j", async (state, reason) => {
    const host = machineWith(`head ${older}`, ...state);

    await expect(settle(dotfiles, pinned, host)).rejects.toMatchObject(refusal(reason));
    expect(host.journal).toEqual([]);
  });

  it("leaves local changes where the commit is right", async () => {
    const host = machineWith(`head ${commit}`, "dirty zsh/zshrc");

    expect(await settle(dotfiles, pinned, host)).toMatchObject({ changed: 0, flights: 1 });
  });

  it("refuses what git did not make in its place", async () => {
    const host = emptyMachine();
    host.files.write(place, "");

    await expect(settle(dotfiles, pinned, host)).rejects.toMatchObject(
      refusal(/"\/home\/bob\/.dotfiles" must be absent or a git checkout, is not; move it away/),
    );
  });

  it("refuses a machine without git, a user or a home, and says what brings them", async () => {
    const host = emptyMachine();
    host.files.remove("/usr/bin/git");
    await expect(settle(dotfiles, pinned, host)).rejects.toMatchObject(
      refusal(/git must be installed, is not; put `apt: \{ present: \[git\] \}` before this use/),
    );
    await expect(settle(dotfiles, { ...pinned, user: "carol" }, host)).rejects.toMatchObject(
      refusal(/"carol" must be a user, is none; put a `user` use before it/),
    );
    host.files.remove("/home/bob");
    await expect(settle(dotfiles, pinned, host)).rejects.toMatchObject(
      refusal(/"\/home\/bob", the home of bob, must be a directory/),
    );
  });

  it.each([
    [{ repository: "https://bob:hunter2@git.example.org/d.git" }, /no user or password in its address/],
    [{ repository: "https://hunter2@git.example.org/d.git" }, /no user or password in its address/],
    [{ repository: "ssh://bob:hunter2@git.example.org/d.git" }, /no user or password in its address/],
    [{ repository: "ftp://bob:hunter2@git.example.org/d.git" }, /no user or password in its address/],
    [{ repository: "hunter2@git.example.org" }, /must be https:.* is "…@git.example.org"/],
    [{ repository: "ext::sh -c id" }, /its repository must be https:/],
    [{ repository: "--upload-pack=id" }, /its repository must be https:/],
    [{ repository: "-o@git.example.org:x" }, /its repository must be https:/],
    [{ repository: "ssh://-oProxyCommand=id/d.git" }, /its repository must be https:/],
    [{ repository: "dotfiles.git" }, /its repository must be https:/],
    [
      { ref: "main", commit: undefined },
      /must be the full id of a commit, or have one beside it, is "main" alone/,
    ],
    [{ ref: older }, /its commit must be its ref/],
    [{ links: { "/etc/passwd": "passwd" } }, /"\/etc\/passwd" must be a path below the home/],
    [{ links: { "../x": "x" } }, /"..\/x" must be a path below the home/],
    [
      { links: { ".config": "config", ".config/nvim": "nvim" } },
      /".config\/nvim" must be outside of the link/,
    ],
    [{ links: { ".dotfiles/x": "x" } }, /".dotfiles\/x" must be beside the checkout/],
    [{ links: { ".dotfiles": "x" } }, /must be beside the checkout/],
    [{ path: "~/.config/dotfiles", links: { ".config": "config" } }, /must be beside the checkout/],
  ])("refuses %j, without its secret", async (more, reason) => {
    const params: Params = JSON.parse(JSON.stringify({ ...pinned, ...more }));
    const refused = settle(dotfiles, params, emptyMachine());

    await expect(refused).rejects.toMatchObject(refusal(reason));
    await expect(refused).rejects.not.toMatchObject({ message: expect.stringContaining("hunter2") });
  });

  it.each([
    [
      "blocked /home/bob/.config",
      /"\/home\/bob\/.config" must be a directory, for the link ".config\/nvim" in it/,
    ],
    ["inside /home/bob/.config", /must be outside of the checkout, "\/home\/bob\/.config" leads into it/],
  ])("refuses a link where there is %j", (line, reason) => {
    const stdout = `home /home/bob\ngit\nlink .config/nvim\n${line}\n`;

    expect(() => dotfiles.plan(linked, readLook({ code: 0, stdout, stderr: "" }))).toThrow(reason);
  });

  it.each([
    { repository: "ssh://git@git.example.org:2222/bob/dotfiles.git" },
    { repository: "git@git.example.org:bob/dotfiles.git" },
    { repository: "/srv/git/dotfiles.git" },
    { repository: "file:///srv/git/dotfiles.git" },
    { ref: "release/2026" },
    { commit: "a".repeat(64) },
    { path: "/srv/bob/dotfiles" },
    { links: { "bin/tool one": "bin/tool one" } },
    { ref: commit, commit },
  ])("takes %j", async (more) => {
    expect(await settle(dotfiles, { ...pinned, ...more }, emptyMachine())).toMatchObject({ changed: 1 });
  });

  it.each([
    { user: "--help" },
    { ref: "-v2" },
    { ref: "v2..v3" },
    { ref: "a b" },
    { commit: "abc" },
    { path: "~" },
    { path: "dotfiles" },
    { path: "~/../alice" },
    { links: { ".zshrc": "/etc/passwd" } },
    { links: { ".zshrc": ".git/config" } },
    { links: { ".zshrc": "" } },
    { state: "gone" },
  ])("does not take %j", (more) => {
    expect(accepts(dotfiles, { ...pinned, ...more })).toBe(false);
  });

  it("belongs to a person, so that no image gets any", () => {
    expect(dotfiles.identity?.(pinned)).toBe("the settings of bob");
  });
});
