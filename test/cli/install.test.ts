import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { runProgram } from "../../src/provisioner/cli/program.ts";
import { showFailure } from "../../src/provisioner/cli/render/show-failure.ts";
import { fakeShell } from "../support/fake-shell.ts";
import { makeTarGz } from "../support/make-archive.ts";
import { bat, eza, flipped, go, jq, nerdctl, releases, rust } from "../support/releases.ts";
import { scratchFolder } from "../support/scratch-folder.ts";
import { openToolProject, type Release, type ToolProject } from "../support/tool-project.ts";
import { listing } from "../support/tree-listing.ts";

let project: ToolProject;
let home: string;
let prefix: string;

beforeEach(async () => {
  project = await openToolProject();
  home = await scratchFolder();
  prefix = join(home, "prefix");
});

afterEach(async () => {
  await project[Symbol.asyncDispose]();
});

/** Runs the command in this process. */
async function install(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const shell = fakeShell(home, {
    PROVISION_HOME: project.home,
    PROVISION_CACHE: join(home, "cache"),
    PATH: join(prefix, "bin"),
    SHELL: "/bin/bash",
    ...env,
  });
  const all = ["install", "--prefix", prefix, ...args];
  const exitCode = await runProgram(all, shell).catch((error: unknown) => showFailure(error, shell, all));
  return { exitCode, out: shell.out.join(""), err: shell.err.join("") };
}

function run(command: string): string {
  return execFileSync(join(prefix, "bin", command), { encoding: "utf8" }).trim();
}

/** What people see of a prefix: everything but our own part. */
function seen(): readonly string[] {
  return listing(prefix, (path) => path === "share/provision");
}

/** All of it, but for the files that have the times of the moment in them. */
function settled(): readonly string[] {
  return listing(prefix, (path) => /\/(state\.json|\.files)$/.test(path));
}

function store(...path: readonly string[]): string {
  return join(prefix, "share/provision/store", ...path);
}

/** Versions of a tool that the store has. */
function kept(tool: string): readonly string[] {
  return readdirSync(store(tool))
    .filter((name) => /^\d/.test(name))
    .map((name) => name.replace(/-[0-9a-f]{12}$/, ""));
}

const all = (version: string): readonly Release[] => releases.map((release) => release(version));

describe("install", () => {
  it("puts every layout to where it belongs, and its commands run", async () => {
    await project.pin(...all("1.0"));

    const { exitCode, out } = await install(["--yes"]);

    expect({ exitCode, last: out.trimEnd().split("\n").at(-1) }).toEqual({
      exitCode: 0,
      last: `6 installed in ${prefix}`,
    });
    for (const command of ["bat", "jq", "eza", "go", "gofmt", "rustc", "cargo", "nerdctl", "runc"])
      expect(run(command)).toBe(`${command} 1.0`);
    expect(run("buildkit-cni-bridge")).toBe("bridge 1.0");
    expect(seen().filter((line) => line.startsWith("link "))).toEqual(
      "bat buildkit-cni-bridge cargo ctd-decoder eza go gofmt jq nerdctl runc rustc"
        .split(" ")
        .map((command) => `link bin/${command} -> ../share/provision/store/`)
        .map((start) => expect.stringContaining(start) as string)
        .concat(
          "link go -> share/provision/store/go/current/go",
          "link lib/systemd/system/containerd.service -> ../../../share/provision/store/nerdctl/current/lib/systemd/system/containerd.service",
          "link libexec/cni/bridge -> ../../share/provision/store/nerdctl/current/libexec/cni/bridge",
          "link opt/rust -> ../share/provision/store/rust/current/opt/rust",
          "link share/bash-completion/completions/bat -> ../../provision/store/bat/current/share/bash-completion/completions/bat",
          "link share/doc/bat/LICENSE-MIT -> ../../provision/store/bat/current/share/doc/bat/LICENSE-MIT",
          "link share/doc/nerdctl/docs/old/page.md -> ../../../../provision/store/nerdctl/current/share/doc/nerdctl/docs/old/page.md",
          "link share/doc/nerdctl-full/README.md -> ../../provision/store/nerdctl/current/share/doc/nerdctl-full/README.md",
          "link share/fish/vendor_completions.d/bat.fish -> ../../provision/store/bat/current/share/fish/vendor_completions.d/bat.fish",
          "link share/man/man1/bat.1 -> ../../provision/store/bat/current/share/man/man1/bat.1",
          "link share/zsh/site-functions/_bat -> ../../provision/store/bat/current/share/zsh/site-functions/_bat",
        ),
    );
  });

  it("lays the folders of a tree over each other, with links for its commands", async () => {
    await project.pin(rust("1.0"));

    await install(["rust"]);

    const tree = store("rust", "current", "opt/rust");
    expect(readdirSync(join(tree, "bin")).toSorted()).toEqual(["cargo", "rustc"]);
    // Of two files the later folder's stays, as with the installer of rust itself.
    expect(readFileSync(join(tree, "manifest.in"), "utf8")).toBe("file:bin/cargo\n");
    expect(readlinkSync(store("rust", "current", "bin/rustc"))).toBe("../opt/rust/bin/rustc");
  });

  it("does nothing the second time, and asks nobody", async () => {
    await project.pin(...all("1.0"));
    await install(["--yes"]);
    const before = listing(prefix);
    project.requests.length = 0;

    const again = await install(["--yes"]);
    const bare = await install([]);

    expect(again).toEqual({ exitCode: 0, out: `6 tools as wanted in ${prefix}\n`, err: "" });
    expect(bare).toEqual(again);
    expect(listing(prefix)).toEqual(before);
    expect(project.requests).toEqual([]);
  });

  it("takes AUTOMATIC=1 for --yes", async () => {
    await project.pin(jq("1.0"));

    const { exitCode } = await install([], { AUTOMATIC: "1" });

    expect(exitCode).toBe(0);
    expect(run("jq")).toBe("jq 1.0");
  });

  it("is a mistake of the command line when there is nobody to ask", async () => {
    await project.pin(jq("1.0"));

    const { exitCode, err } = await install([]);

    expect(exitCode).toBe(2);
    expect(err).toContain("error USAGE\n  Cannot ask which tools to install: there is no terminal");
    expect(err).toContain("mend: Name them, or add --yes (or AUTOMATIC=1) for all of them");
    expect(existsSync(prefix)).toBe(false);
  });

  it.each([
    [["jqq"], 'Cannot install "jqq": no tool has this name', 'Name "jq"'],
    [["go"], 'Cannot install "go" for one user: it is a tool of the whole machine', "Add --system"],
    [["eza"], "versions.yaml must have a digest for", "Add the digest"],
    [["--list", "--check"], "--check and --list exclude each other", "Use one of them"],
    [["--uninstall"], "--uninstall must name its tools", "Name them"],
  ])("refuses %j and says what to do", async (args, what, mend) => {
    const other = process.arch === "x64" ? "aarch64" : "x86_64";
    const alien = { ...eza("1.0"), entry: { ...eza("1.0").entry, sha256: { [other]: "0".repeat(64) } } };
    const system = { ...go("1.0"), entry: { ...go("1.0").entry, system: true } };
    await project.pin(jq("1.0"), system, alien);

    const { exitCode, out, err } = await install(args);

    expect({ exitCode, out }).toEqual({ exitCode: 2, out: "" });
    expect(err).toContain(what);
    expect(err).toContain(`mend: ${mend}`);
  });

  it("leaves out what is for whole machines, and notes what is for others", async () => {
    const other = process.arch === "x64" ? "aarch64" : "x86_64";
    const alien = { ...eza("1.0"), entry: { ...eza("1.0").entry, sha256: { [other]: "0".repeat(64) } } };
    await project.pin(jq("1.0"), { ...go("1.0"), entry: { ...go("1.0").entry, system: true } }, alien);

    const user = await install(["--yes"]);
    const again = await install(["--yes"]);
    const system = await install(["--yes", "--system"]);

    expect(user.out).toContain(`1 installed in ${prefix}; not for this machine: eza\n`);
    expect(again.out).toBe(`1 tool as wanted in ${prefix}; not for this machine: eza\n`);
    expect(system.out).toContain("go    1.0      installed\n1 installed, 1 as wanted");
  });
});

describe("one tool that fails", () => {
  it("keeps its old version, and the others go on", async () => {
    await project.pin(bat("1.0"), jq("1.0"));
    await install(["--yes"]);
    await project.pin(bat("2.0"), jq("2.0"));
    const right = jq("2.0");
    project.files.set(right.file, flipped(right.body));

    const { exitCode, out, err } = await install(["--yes"]);

    expect(exitCode).toBe(5);
    expect([run("bat"), run("jq")]).toEqual(["bat 2.0", "jq 1.0"]);
    expect(out).toContain("bat   2.0      changed from 1.0\njq    2.0      failed, 1.0 stays\n");
    expect(out).toContain("1 changed, 1 failed in");
    expect(err).toMatch(
      /error DIGEST_DIFFERS\n {2}Cannot use jq-linux-amd64-2\.0 .*must be sha256 [0-9a-f]{64}, is [0-9a-f]{64}/,
    );
    expect(kept("jq")).toEqual(["1.0"]);
  });

  it("leaves a new prefix as it was", async () => {
    await project.pin(jq("1.0"));
    project.files.set(jq("1.0").file, flipped(jq("1.0").body));
    mkdirSync(join(prefix, "share"), { recursive: true });

    const { exitCode } = await install(["jq"]);

    expect(exitCode).toBe(5);
    expect(listing(prefix)).toEqual(["directory 755 share"]);
  });

  it("names each when several fail", async () => {
    await project.pin(bat("1.0"), jq("1.0"), eza("1.0"));
    project.files.delete(jq("1.0").file);
    project.files.delete(eza("1.0").file);

    const { exitCode, err } = await install(["--yes", "--json"]);
    const { out } = await install(["--yes", "--json"]);

    expect({ exitCode, err }).toEqual({ exitCode: 5, err: "" });
    const events = out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { kind: string; code?: string; data?: unknown });
    expect(events.find(({ kind }) => kind === "error")).toMatchObject({ code: "TOOLS_FAILED" });
    expect(events.find(({ kind }) => kind === "result")?.data).toMatchObject({
      prefix,
      tools: [
        { name: "bat", version: "1.0", outcome: "as-wanted" },
        { name: "eza", outcome: "failed", error: { code: "DOWNLOAD_FAILED" } },
        { name: "jq", outcome: "failed", error: { code: "DOWNLOAD_FAILED" } },
      ],
    });
  });

  const wrongMachine = process.arch === "x64" ? 183 : 62;

  it.each([
    ["an archive that lacks it", "{stem}/nothere", 'must hold "thing/nothere", does not'],
    ["an archive that has it elsewhere", "{stem}/prog", 'the archive holds "thing/bin/prog"'],
    ["a program for another machine", "{stem}/alien", "is an ELF program for"],
    ["a text", "{stem}/README", "is neither an ELF program nor a script"],
    ["a directory", "{stem}/bin", "is a directory"],
    ["an empty file", "{stem}/empty", "is an empty file"],
  ])("says what is wrong with %s", async (_what, binary, says) => {
    const elf = Buffer.from("7f454c460201010000000000000000000200000000000000", "hex");
    elf.writeUInt16LE(wrongMachine, 18);
    const body = makeTarGz([
      { path: "thing/bin/prog", body: "#!/bin/sh\n", mode: 0o755 },
      { path: "thing/alien", body: elf, mode: 0o755 },
      { path: "thing/README", body: "read me\n" },
      { path: "thing/empty", body: "" },
    ]);
    await project.pin({ name: "thing", file: "thing.tar.gz", body, entry: { version: "1.0", binary } });

    const { exitCode, err } = await install(["thing"]);

    expect(exitCode).toBe(5);
    expect(err).toContain(says);
    expect(existsSync(prefix)).toBe(false);
  });

  it.each(["share/provision/store/jq/current", ".provision"])(
    "is refused when its archive has what is ours: %s",
    async (path) => {
      const entry = { version: "1.0", extract_to: "~/.local" };
      const body = makeTarGz([{ path, body: "evil\n" }]);
      await project.pin({ name: "thing", file: "thing.tar.gz", body, entry });

      const { exitCode, err } = await install(["thing"]);

      expect(exitCode).toBe(5);
      expect(err).toContain(`error TOOL_PLACE_RESERVED\n  Cannot install thing: "${path}" must be left`);
      expect(existsSync(prefix)).toBe(false);
    },
  );

  it("warns of a manual page that is not there, and installs", async () => {
    const entry = { version: "1.0", binary: "thing", extra: [{ from: "doc/*.1", to: "man1" }] };
    const body = makeTarGz([{ path: "thing", body: "#!/bin/sh\n", mode: 0o755 }]);
    await project.pin({ name: "thing", file: "thing.tar.gz", body, entry });

    const { exitCode, err } = await install(["thing"]);

    expect(exitCode).toBe(0);
    expect(err).toContain('warning: thing: thing.tar.gz holds no "doc/*.1"');
  });
});

describe("an upgrade", () => {
  it("leaves no file of the old version in the prefix, and keeps the version before", async () => {
    await project.pin(nerdctl("1.0"), go("1.0"));
    await install(["--yes"]);
    await project.pin(nerdctl("2.0"), go("2.0"));

    const { out } = await install(["--yes"]);

    expect(out).toContain("go       2.0      changed from 1.0\nnerdctl  2.0      changed from 1.0\n");
    expect([run("nerdctl"), run("bypass4netns"), run("gofmt")]).toEqual([
      "nerdctl 2.0",
      "bypass4netns 2.0",
      "gofmt 2.0",
    ]);
    const after = seen().join("\n");
    expect(after).not.toContain("ctd-decoder");
    expect(after).not.toContain("share/doc/nerdctl/");
    expect(kept("go")).toEqual(["1.0", "2.0"]);
  });

  it("keeps one version and no more", async () => {
    for (const version of ["1.0", "2.0", "3.0"]) {
      await project.pin(jq(version));
      await install(["jq"]);
    }

    expect(kept("jq")).toEqual(["2.0", "3.0"]);
    expect(run("jq")).toBe("jq 3.0");
  });

  it("goes back to a version that is kept without asking any server", async () => {
    await project.pin(jq("1.0"));
    await install(["jq"]);
    await project.pin(jq("2.0"));
    await install(["jq"]);
    await project.pin(jq("1.0"));
    project.requests.length = 0;
    rmSync(join(home, "cache"), { recursive: true });

    const { exitCode } = await install(["jq"]);

    expect(exitCode).toBe(0);
    expect(run("jq")).toBe("jq 1.0");
    expect(project.requests).toEqual([]);
  });

  it("puts a directory of its own in the place of links, and back", async () => {
    const flat = (version: string): Release => ({
      ...nerdctl(version),
      name: "tree",
      body: makeTarGz([{ path: "opt/tree/bin/x", body: `#!/bin/sh\necho ${version}\n`, mode: 0o755 }]),
      entry: { version, extract_to: "~/.local" },
    });
    const own = (version: string): Release => ({
      ...flat(version),
      entry: { version, extract_to: "~/.local/opt/tree", root: "opt/tree" },
    });
    const x = () => execFileSync(join(prefix, "opt/tree/bin/x"), { encoding: "utf8" }).trim();

    await project.pin(flat("1.0"));
    await install(["tree"]);
    await project.pin(own("2.0"));
    const there = await install(["tree"]);
    const during = x();
    await project.pin(flat("3.0"));
    const back = await install(["tree"]);

    expect([there.exitCode, back.exitCode]).toEqual([0, 0]);
    expect([during, x()]).toEqual(["2.0", "3.0"]);
    expect(statSync(join(prefix, "opt/tree")).isDirectory()).toBe(true);
  });
});

describe("--rollback", () => {
  it("goes back, and forth again", async () => {
    await project.pin(nerdctl("1.0"));
    await install(["nerdctl"]);
    const first = seen();
    await project.pin(nerdctl("2.0"));
    await install(["nerdctl"]);
    const second = seen();

    const back = await install(["--rollback", "nerdctl"]);
    const afterBack = { listing: seen(), version: run("nerdctl") };
    const forth = await install(["--rollback", "nerdctl"]);

    expect(back).toMatchObject({ exitCode: 0, out: "nerdctl: 2.0 -> 1.0\n" });
    expect(afterBack).toEqual({ listing: first, version: "nerdctl 1.0" });
    expect(forth.out).toBe("nerdctl: 1.0 -> 2.0\n");
    expect(seen()).toEqual(second);
  });

  it("is not what the next install leaves: the pin decides", async () => {
    await project.pin(jq("1.0"));
    await install(["jq"]);
    await project.pin(jq("2.0"));
    await install(["jq"]);
    await install(["--rollback", "jq"]);

    const { out } = await install(["jq"]);

    expect(out).toContain("jq    2.0      changed from 1.0");
  });

  it("says so when there is no version before", async () => {
    await project.pin(jq("1.0"));
    await install(["jq"]);

    const { exitCode, err } = await install(["--rollback", "jq"]);

    expect(exitCode).toBe(5);
    expect(err).toContain("error TOOL_NO_PREVIOUS\n  Cannot roll back jq 1.0");
  });
});

describe("--uninstall", () => {
  it("leaves the prefix exactly as it was, whatever happened in between", async () => {
    mkdirSync(join(prefix, "bin"), { recursive: true });
    mkdirSync(join(prefix, "share/man"), { recursive: true });
    mkdirSync(join(prefix, "lib/empty"), { recursive: true });
    writeFileSync(join(prefix, "bin/mine"), "#!/bin/sh\n", { mode: 0o755 });
    const before = listing(prefix);
    for (const version of ["1.0", "2.0"]) {
      await project.pin(...all(version));
      await install(["--yes"]);
    }
    await install(["--rollback", "nerdctl", "go"]);

    const { exitCode, out } = await install(["--uninstall", ...all("1.0").map(({ name }) => name)]);

    expect(exitCode).toBe(0);
    expect(out).toContain("nerdctl 1.0 is removed\n");
    expect(listing(prefix)).toEqual(before);
  });

  it("takes nothing of the other tools, and makes the prefix vanish with the last", async () => {
    await project.pin(jq("1.0"), bat("1.0"));
    await install(["--yes"]);

    await install(["--uninstall", "bat"]);
    const between = run("jq");
    await install(["--uninstall", "jq"]);

    expect(between).toBe("jq 1.0");
    expect(existsSync(prefix)).toBe(false);
  });

  it("leaves what somebody put where a link was", async () => {
    await project.pin(jq("1.0"));
    await install(["jq"]);
    rmSync(join(prefix, "bin/jq"));
    writeFileSync(join(prefix, "bin/jq"), "mine\n");

    await install(["--uninstall", "jq"]);

    expect(listing(prefix).filter((line) => !line.startsWith("directory"))).toEqual([
      expect.stringMatching(/^file 644 bin\/jq /),
    ]);
  });

  it("is content with a tool that is not installed, and not with a slip", async () => {
    await project.pin(jq("1.0"));

    const absent = await install(["--uninstall", "jq"]);
    const slip = await install(["--uninstall", "jqq"]);

    expect(absent).toMatchObject({ exitCode: 0, out: "jq is not installed\n" });
    expect(slip.exitCode).toBe(2);
    expect(slip.err).toContain('Name "jq"');
  });
});

describe("files of others", () => {
  it("are never touched", async () => {
    await project.pin(bat("1.0"));
    mkdirSync(join(prefix, "bin"), { recursive: true });
    writeFileSync(join(prefix, "bin/bat"), "mine\n");
    const before = listing(prefix);

    const { exitCode, err } = await install(["bat"]);

    expect(exitCode).toBe(5);
    expect(err).toContain(`error TOOL_IN_THE_WAY\n  Cannot install bat: the place of its links must be free`);
    expect(err).toContain(`"${join(prefix, "bin/bat")}" is somebody else's`);
    expect(err).toContain("provision install --force bat");
    expect(listing(prefix)).toEqual(before);
  });

  it("are put aside with --force, and stay there", async () => {
    await project.pin(bat("1.0"), go("1.0"));
    mkdirSync(join(prefix, "bin"), { recursive: true });
    writeFileSync(join(prefix, "bin/bat"), "mine\n");
    mkdirSync(join(prefix, "go/src"), { recursive: true });
    writeFileSync(join(prefix, "go/src/old.go"), "package old\n");

    const { exitCode, err } = await install(["--force", "bat", "go"]);
    const removed = await install(["--uninstall", "bat", "go"]);

    const aside = join(prefix, "share/provision/replaced");
    expect(exitCode).toBe(0);
    expect(err).toContain(`warning: bat: what was in the way is kept as ${aside}/bin/bat`);
    expect(removed.err).toContain(`warning: bat: what --force once put aside stays as ${aside}/bin/bat`);
    expect(readFileSync(join(aside, "bin/bat"), "utf8")).toBe("mine\n");
    expect(readFileSync(join(aside, "go/src/old.go"), "utf8")).toBe("package old\n");
  });

  it("are links elsewhere too, dangling or not", async () => {
    await project.pin(jq("1.0"));
    mkdirSync(join(prefix, "bin"), { recursive: true });
    symlinkSync("/nowhere/jq", join(prefix, "bin/jq"));

    const { exitCode } = await install(["jq"]);

    expect(exitCode).toBe(5);
    expect(readlinkSync(join(prefix, "bin/jq"))).toBe("/nowhere/jq");
  });

  it("may be the directory that bin is a link to", async () => {
    await project.pin(jq("1.0"));
    mkdirSync(join(home, "dotfiles/bin"), { recursive: true });
    mkdirSync(prefix);
    symlinkSync("../dotfiles/bin", join(prefix, "bin"));

    const { exitCode } = await install(["jq"]);
    const link = readlinkSync(join(home, "dotfiles/bin/jq"));
    const works = run("jq");
    await install(["--uninstall", "jq"]);

    expect({ exitCode, link, works }).toEqual({
      exitCode: 0,
      link: "../../prefix/share/provision/store/jq/current/bin/jq",
      works: "jq 1.0",
    });
    expect(listing(prefix)).toEqual(["link bin -> ../dotfiles/bin"]);
  });

  it("of another tool are never taken, not even by force", async () => {
    const twin = { ...jq("1.0"), name: "gojq" };
    await project.pin(jq("1.0"));
    await install(["jq"]);
    await project.pin(jq("1.0"), twin);

    const both = await install(["--yes"]);
    const second = await install(["--force", "gojq"]);

    expect(both.exitCode).toBe(2);
    expect(both.err).toContain('Cannot install jq beside gojq: both bring "bin/jq"');
    expect(second.exitCode).toBe(2);
    expect(second.err).toContain('Cannot install gojq beside jq: both bring "bin/jq"');
    expect(run("jq")).toBe("jq 1.0");
  });
});

describe("damage", () => {
  it.each<[string, () => void]>([
    ["a link that is gone", () => rmSync(join(prefix, "bin/bat"))],
    ["a program that is gone", () => rmSync(store("bat/current/bin/bat"))],
    ["a program that was cut", () => writeFileSync(store("bat/current/bin/bat"), "#!")],
    ["a program that was written to", () => utimesSync(store("bat/current/bin/bat"), 1, 1)],
    ["a program that cannot run", () => chmodSync(store("bat/current/bin/bat"), 0o644)],
    ["a page that was changed", () => writeFileSync(store("bat/current/share/man/man1/bat.1"), "")],
    [
      "a directory for a page",
      () => {
        rmSync(store("bat/current/share/man/man1/bat.1"));
        mkdirSync(store("bat/current/share/man/man1/bat.1"));
      },
    ],
  ])("is mended: %s", async (_what, damage) => {
    await project.pin(bat("1.0"));
    await install(["bat"]);
    const sound = settled();
    damage();

    const check = await install(["--check", "bat"]);
    const { exitCode, out } = await install(["bat"]);

    expect(check).toMatchObject({ exitCode: 3 });
    expect(check.out).toContain("bat   1.0 (damaged)  1.0");
    expect(exitCode).toBe(0);
    expect(out).toContain("bat   1.0      repaired");
    expect(settled()).toEqual(sound);
  });

  it("is looked for with --force where none is seen", async () => {
    await project.pin(go("1.0"));
    await install(["go"]);
    const sound = settled();
    writeFileSync(store("go/current/go/src/fmt/print.go"), "package FMT\n");
    writeFileSync(store("go/current/go/src/fmt/surplus.go"), "package fmt\n");

    const { out } = await install(["--force", "go"]);

    expect(out).toContain("1 repaired");
    expect(settled()).toEqual(sound);
  });
});

describe("--list and --check", () => {
  it("say how each tool stands, and change nothing", async () => {
    await project.pin(bat("1.0"), jq("1.0"), eza("2.0"), rust("1.0"));
    await install(["bat", "jq", "eza", "rust"]);
    await project.pin(bat("1.10"), jq("1.0"), eza("1.0"), go("1.0"));
    const before = listing(prefix);

    const list = await install(["--list"]);
    const check = await install(["--check"]);

    expect(list).toMatchObject({ exitCode: 0, err: "" });
    expect(list.out).toBe(
      [
        "TOOL  PINNED  INSTALLED  STATE            LICENSE",
        "bat   1.10    1.0        newer is pinned  MIT OR Apache-2.0",
        "eza   1.0     2.0        older is pinned  -",
        "go    1.0     -          not installed    BSD-3-Clause",
        "jq    1.0     1.0        as wanted        MIT",
        "rust  -       1.0        not pinned       -",
        "",
      ].join("\n"),
    );
    expect(check).toMatchObject({ exitCode: 3, err: "" });
    expect(check.out).toBe(
      [
        "TOOL  INSTALLED  WANTED",
        "bat   1.0        1.10",
        "eza   2.0        1.0",
        "go    none       1.0",
        "",
      ].join("\n"),
    );
    expect(listing(prefix)).toEqual(before);
  });

  it("--check ends 0 when nothing waits", async () => {
    await project.pin(jq("1.0"));
    await install(["jq"]);

    const check = await install(["--check", "--json"]);

    expect(check.exitCode).toBe(0);
    const result = check.out.split("\n").map((line) => line && (JSON.parse(line) as { data?: unknown }))[1];
    expect(result).toMatchObject({
      data: { prefix, tools: [{ name: "jq", version: "1.0", outcome: "as-wanted" }], skipped: [] },
    });
  });
});

describe("without a network", () => {
  it("installs from a folder, with the digest checked", async () => {
    await project.pin(jq("1.0"), eza("1.0"));
    const folder = join(home, "usb");
    mkdirSync(folder);
    writeFileSync(join(folder, jq("1.0").file), jq("1.0").body);
    writeFileSync(join(folder, eza("1.0").file), flipped(eza("1.0").body));

    const { exitCode, err } = await install(["--yes", "--offline", "--from", folder]);

    expect(exitCode).toBe(5);
    expect(run("jq")).toBe("jq 1.0");
    expect(err).toContain("error DIGEST_DIFFERS");
    expect(project.requests).toEqual([]);
  });

  it("names what is missing", async () => {
    await project.pin(jq("1.0"));

    const { exitCode, err } = await install(["jq", "--offline"]);

    expect(exitCode).toBe(5);
    expect(err).toContain("error ARTIFACT_MISSING");
    expect(err).toContain("jq-linux-amd64-1.0");
  });
});

describe("PATH", () => {
  const bin = () => join(prefix, "bin");

  it("is only hinted at", async () => {
    await project.pin(jq("1.0"));

    const { err } = await install(["jq"], { PATH: "/usr/bin" });

    expect(err).toContain(`warning: ${bin()} is not on PATH: \`provision install --write-path\``);
    expect(existsSync(join(home, ".bashrc"))).toBe(false);
  });

  it("is not spoken of when it is right", async () => {
    await project.pin(jq("1.0"));

    const { err } = await install(["jq"], { PATH: `/usr/bin:${bin()}/` });

    expect(err).not.toContain("PATH");
  });

  it("gets a block that is written once and taken out again", async () => {
    await project.pin(jq("1.0"));
    writeFileSync(join(home, ".bashrc"), "alias ll='ls -l'\n", { mode: 0o600 });

    const first = await install(["--write-path"]);
    const written = readFileSync(join(home, ".bashrc"), "utf8");
    const second = await install(["jq", "--write-path"]);
    const after = readFileSync(join(home, ".bashrc"), "utf8");
    const path = execFileSync("sh", ["-c", `. ${home}/.bashrc; . ${home}/.bashrc; echo $PATH`], {
      env: { PATH: "/usr/bin:/bin" },
      encoding: "utf8",
    });
    await install(["--no-write-path"]);

    expect(first).toMatchObject({ exitCode: 0, err: "" });
    expect(first.out).toBe(`${home}/.bashrc puts ${bin()} on PATH, for shells that start from now on\n`);
    expect(second.err).toContain("on PATH already");
    expect(after).toBe(written);
    expect(path).toBe(`${bin()}:/usr/bin:/bin\n`);
    expect(readFileSync(join(home, ".bashrc"), "utf8")).toBe("alias ll='ls -l'\n");
    expect(statSync(join(home, ".bashrc")).mode & 0o777).toBe(0o600);
  });
});

it("downloads each file once when two run at the same time", async () => {
  await project.pin(...all("1.0"));

  const both = await Promise.all([install(["--yes"]), install(["--yes"])]);

  expect(both.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
  expect(project.requests.toSorted()).toEqual(
    all("1.0")
      .map(({ file }) => file)
      .toSorted(),
  );
});

it("removes what a killed run left, and what it had not finished", async () => {
  await project.pin(jq("1.0"));
  await install(["jq"]);
  const sound = settled();
  mkdirSync(store(".incoming-0123456789abcdef/image"), { recursive: true });

  const { exitCode, out } = await install(["jq"]);

  expect({ exitCode, out }).toEqual({ exitCode: 0, out: `1 tool as wanted in ${prefix}\n` });
  expect(settled()).toEqual(sound);
});
