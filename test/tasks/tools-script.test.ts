import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";

import { beforeEach, describe, expect, it, vi } from "vitest";

import type { Sources } from "../../src/provisioner/core/sources.ts";
import { pinnedTool } from "../../src/provisioner/tools/pinned-tool.ts";
import { tools } from "../../src/tasks/tools/index.ts";
import { HereHost } from "../support/here-host.ts";
import { makeTarGz, type TarMember } from "../support/make-archive.ts";
import { scratchFolder } from "../support/scratch-folder.ts";
import { stepPrograms } from "../support/step-programs.ts";
import { refusal, settle, sourcesOf } from "../support/tasks.ts";
import { publish, releases, someProgram } from "../support/tool-releases.ts";
import { treeOf } from "../support/tree-of.ts";

vi.setConfig({ testTimeout: 120_000 });

type Versions = Parameters<typeof publish>[1];
type More = Partial<Parameters<typeof tools.plan>[0]>;

let folder: string;
let prefix: string;

beforeEach(async () => {
  folder = await scratchFolder();
  prefix = join(folder, "prefix");
  // As /usr/local is on Debian: some directories, and something of somebody else.
  for (const path of ["bin", "share/man", "lib"]) mkdirSync(join(prefix, path), { recursive: true });
  writeFileSync(join(prefix, "bin/mine"), someProgram("mine"), { mode: 0o755 });
});

function sourcesWith(versions: Versions): Sources {
  const { manifest, fileOf } = publish(join(folder, "files"), versions);
  return {
    ...sourcesOf(),
    tool: async (name) => pinnedTool(name, manifest),
    obtain: async ({ path, file, mode, owner, group }) => {
      const source = { path: fileOf(file.sha256), sha256: file.sha256, size: 1 };
      return { kind: "upload", path, source, mode, owner, group };
    },
  };
}

/** Settles a use of these tools, in these versions, in the prefix. */
function bring(versions: Versions, host = new HereHost(), more: More = {}) {
  const params = { names: Object.keys(versions), prefix, ...more };
  return settle(tools, params, host, { sources: sourcesWith(versions) });
}

function remove(names: readonly string[], host = new HereHost()) {
  return settle(tools, { absent: [...names], prefix }, host, { sources: sourcesOf() });
}

function says(command: string): string {
  return execFileSync(join(prefix, "bin", command), { encoding: "utf8" }).trim();
}

const at = (path: string) => join(prefix, path);
const every = (version: string) =>
  Object.fromEntries(Object.keys(releases).map((name) => [name, version] as const));

/** A release in a file of its own making. */
function release(members: readonly TarMember[], more: object = {}) {
  const entry = { version: "1.0", url: "https://releases.test/odd.tar.gz", binary: "odd", ...more };
  return { entry, bytes: makeTarGz(members) };
}

/** Busybox alone, as on a small system: its own shell, and its own everything. */
function busyboxHost(): HereHost {
  const bin = join(folder, "busybox");
  mkdirSync(bin, { recursive: true });
  execFileSync("busybox", ["--install", "-s", bin]);
  return new HereHost(["busybox", "sh"], { PATH: bin });
}

const lacking = ["busybox", "unzip", "xz"].filter((name) => {
  try {
    execFileSync("/bin/sh", ["-c", `command -v ${name}`], { stdio: "ignore" });
    return false;
  } catch {
    return true;
  }
});

/** Skipped aloud where this machine lacks a program. */
const isLacking = lacking.length > 0;
const skipped = isLacking ? ` (skipped: ${lacking.join(", ")} is not installed)` : "";

const systems = [
  { name: "dash", host: () => new HereHost(["dash"]) },
  { name: "bash", host: () => new HereHost(["bash", "--norc", "--posix"]) },
  { name: "busybox alone", host: busyboxHost },
];

describe.skipIf(isLacking).each(systems)(`tools with $name${skipped}`, ({ host }) => {
  it("installs every layout of a release, and finds nothing to do the second time, in one flight", async () => {
    await bring(every("1.0"), host());
    const again = host();

    const second = await bring(every("1.0"), again);

    expect(second).toMatchObject({ changed: 0, flights: 1 });
    expect([again.uploads, again.ran]).toEqual([0, []]);
    const commands = [
      "gopher",
      "gofmt",
      "sk",
      "qy",
      "boxes",
      "boxes-bridge",
      "crabc",
      "cargo",
      "ed2",
      "zipped",
    ];
    expect(commands.map(says)).toEqual(
      commands.map((name) => (name === "boxes-bridge" ? "bridge 1.0" : `${name} 1.0`)),
    );
  });

  it("leaves of an older version only what a rollback needs, and comes back to it without sending anything", async () => {
    await bring(every("1.0"), host());
    await bring(every("2.0"), host());
    const after2 = treeOf(prefix);
    const back = host();

    await bring(every("1.0"), back);
    const back1 = says("sk");
    await bring(every("2.0"), host());

    expect([back.uploads, back1, says("sk")]).toEqual([0, "sk 1.0", "sk 2.0"]);
    expect(treeOf(prefix)).toEqual(after2);
    expect(existsSync(at("share/man/man1/sk-old.1"))).toBe(false);
    await bring(every("3.0"), host());
    const kept = treeOf(at("share/provision/store/seeker")).filter((line) =>
      /^755 [\d.]+-[0-9a-f]+\/$/.test(line),
    );
    expect(kept.map((line) => line.slice(4, 7))).toEqual(["2.0", "3.0"]);
  });

  it("leaves the prefix as it was when everything is removed", async () => {
    const before = treeOf(prefix);
    await bring(every("1.0"), host());
    await bring(every("2.0"), host());

    await remove(Object.keys(releases), host());

    expect(treeOf(prefix)).toEqual(before);
    expect(await remove(Object.keys(releases), host())).toMatchObject({ changed: 0, flights: 1 });
  });

  it("keeps the other tools when one is removed", async () => {
    await bring({ seeker: "1.0" }, host());
    const alone = treeOf(prefix);
    await bring({ boxes: "1.0", gopher: "1.0" }, host());

    await remove(["boxes", "gopher"], host());

    expect(treeOf(prefix)).toEqual(alone);
  });
});

describe.skipIf(isLacking)(`what tools install${skipped}`, () => {
  it("is root's and readable by everybody, whatever the umask and the archive say", async () => {
    const members = [
      { path: "odd", mode: 0o700, body: someProgram("odd") },
      { path: "shared", mode: 0o666, body: "" },
      { path: "closed/", type: "5", mode: 0o700 },
      { path: "closed/file", mode: 0o600, body: "" },
    ];
    const odd = release(members, { extract_to: "/usr/local/odd" });

    await bring({ odd }, new HereHost(["sh"], { PATH: process.env["PATH"] ?? "", UMASK: "077" }));

    const home = "share/provision/store/odd/current/odd";
    const modes = ["odd", "shared", "closed", "closed/file"].map((path) => statSync(at(join(home, path))));
    expect(modes.map(({ mode }) => (mode & 0o7777).toString(8))).toEqual(["755", "644", "755", "644"]);
    expect(modes.map(({ uid }) => uid)).toEqual(modes.map(() => process.getuid?.()));
  });

  it("has relative links that go through the version in use, so that an upgrade is one rename", async () => {
    await bring({ gopher: "1.0", seeker: "1.0", editor: "1.0" });

    const links = treeOf(prefix).filter(
      (line) => line.includes(" -> ") && !line.startsWith("share/provision"),
    );
    expect(links).toEqual([
      "bin/ed2 -> ../share/provision/store/editor/current/bin/ed2",
      "bin/gofmt -> ../share/provision/store/gopher/current/bin/gofmt",
      "bin/gopher -> ../share/provision/store/gopher/current/bin/gopher",
      "bin/sk -> ../share/provision/store/seeker/current/bin/sk",
      "gopher -> share/provision/store/gopher/current/gopher",
      "opt/editor -> ../share/provision/store/editor/current/opt/editor",
      "share/bash-completion/completions/sk -> ../../../share/provision/store/seeker/current/share/bash-completion/completions/sk",
      "share/fish/vendor_completions.d/sk.fish -> ../../../share/provision/store/seeker/current/share/fish/vendor_completions.d/sk.fish",
      "share/man/man1/ed2.1 -> ../../../share/provision/store/editor/current/share/man/man1/ed2.1",
      "share/man/man1/sk-old.1 -> ../../../share/provision/store/seeker/current/share/man/man1/sk-old.1",
      "share/man/man1/sk.1 -> ../../../share/provision/store/seeker/current/share/man/man1/sk.1",
      "share/zsh/site-functions/_sk -> ../../../share/provision/store/seeker/current/share/zsh/site-functions/_sk",
    ]);
  });

  it("works in a prefix whose bin is a link to elsewhere, and goes from there without a trace", async () => {
    const elsewhere = join(folder, "elsewhere");
    mkdirSync(elsewhere);
    rmSync(at("bin"), { recursive: true });
    symlinkSync(elsewhere, at("bin"));
    const before = treeOf(prefix);

    await bring({ seeker: "1.0" });
    const said = execFileSync(join(elsewhere, "sk"), { encoding: "utf8" });
    await remove(["seeker"]);

    expect(said).toBe("sk 1.0\n");
    expect(treeOf(prefix)).toEqual(before);
    expect(treeOf(elsewhere)).toEqual([]);
  });

  it("takes the later of two files of one name, and says what an archive does not hold", async () => {
    const host = new HereHost();

    await bring({ crab: "1.0", seeker: "1.0" }, host);

    expect(readFileSync(at("crab/components"), "utf8")).toBe("cargo");
    expect(existsSync(at("crab/lib/.hidden"))).toBe(true);
    expect(existsSync(at("crab/lib/cargo.txt"))).toBe(true);
    expect(host.output).toContain("holds no seeker-1.0-x/complete/none.fish");
  });

  it("follows a version whose layout is another one", async () => {
    const [scattered, gathered] = ["1.0", "2.0"].map((version) =>
      release(
        [
          { path: "odd/run", mode: 0o755, body: someProgram(`odd ${version}`) },
          { path: "odd/data", body: version },
        ],
        {
          version,
          binary: { odd: "odd/run" },
          extract_to: "/usr/local",
          ...(version === "2.0" && { extract_to: "/usr/local/odd", root: "odd" }),
        },
      ),
    );
    if (!scattered || !gathered) throw new Error("There are two");

    for (const odd of [scattered, gathered, scattered]) {
      await bring({ odd });
      expect(says("odd")).toBe(`odd ${odd.entry.version}`);
      expect(readFileSync(at("odd/data"), "utf8")).toBe(odd.entry.version);
    }
    await remove(["odd"]);

    expect(treeOf(prefix).filter((line) => line.includes("odd"))).toEqual([]);
  });
});

describe.skipIf(isLacking)(`damage to what tools installed${skipped}`, () => {
  const store = "share/provision/store/seeker";
  it.each([
    ["a program cut short", () => truncateSync(at(`${store}/current/bin/sk`), 4)],
    ["a program that is gone", () => unlinkSync(at(`${store}/current/bin/sk`))],
    ["a program that may not run", () => chmodSync(at(`${store}/current/bin/sk`), 0o644)],
    ["a link that is gone", () => unlinkSync(at("bin/sk"))],
    ["a directory of links that is gone", () => rmSync(at("share/zsh"), { recursive: true })],
    [
      "a link that leads to another version",
      () => {
        unlinkSync(at("bin/sk"));
        symlinkSync("../share/provision/store/seeker/0.9-000000000000/bin/sk", at("bin/sk"));
      },
    ],
    ["no version in use", () => unlinkSync(at(`${store}/current`))],
    [
      "the version in use is gone",
      () => {
        rmSync(at(store), { recursive: true });
        mkdirSync(at(store));
        symlinkSync("0.9-000000000000", at(`${store}/current`));
      },
    ],
    [
      "leftovers of a killed run",
      () => mkdirSync(at("share/provision/store/.incoming/work"), { recursive: true }),
    ],
  ])("is healed: %s", async (_, damage) => {
    await bring({ seeker: "1.0" });
    const whole = treeOf(prefix);
    damage();

    await bring({ seeker: "1.0" });

    expect(treeOf(prefix)).toEqual(whole);
    expect(await bring({ seeker: "1.0" })).toMatchObject({ changed: 0, flights: 1 });
  });
});

describe.skipIf(isLacking)(`files of somebody else in the way of tools${skipped}`, () => {
  it("are named before anything is touched, and with replace they are kept elsewhere", async () => {
    writeFileSync(at("bin/gopher"), "mine");
    mkdirSync(at("gopher/src"), { recursive: true });
    writeFileSync(at("gopher/src/main"), "mine too");
    const before = treeOf(prefix);

    await expect(bring({ gopher: "1.0" })).rejects.toMatchObject(
      refusal(/bin\/gopher", ".*\/prefix\/gopher" must be absent or gopher's.*replace: true$/),
    );
    expect(treeOf(prefix)).toEqual(before);
    await bring({ gopher: "1.0" }, new HereHost(), { replace: true });

    expect(says("gopher")).toBe("gopher 1.0");
    expect(readFileSync(at("share/provision/replaced/bin/gopher"), "utf8")).toBe("mine");
    expect(readFileSync(at("share/provision/replaced/gopher/src/main"), "utf8")).toBe("mine too");
    expect(await bring({ gopher: "1.0" })).toMatchObject({ changed: 0, flights: 1 });
    await remove(["gopher"]);
    expect(readFileSync(at("share/provision/replaced/bin/gopher"), "utf8")).toBe("mine");
  });

  it("are found behind the names that versions.yaml knows too, and nothing is changed then", async () => {
    mkdirSync(at("share/doc/boxes"), { recursive: true });
    writeFileSync(at("share/doc/boxes/README.md"), "mine");
    writeFileSync(at("libexec"), "a file where a directory has to be");
    const before = treeOf(prefix);

    const failed = bring({ boxes: "1.0" });

    await expect(failed).rejects.toMatchObject({
      code: "ACTION_FAILED",
      message: expect.stringMatching(
        /somebody else's files.*\n.*\/libexec\n.*\/share\/doc\/boxes\/README.md/s,
      ) as string,
    });
    // What was only unpacked is swept by the next run.
    rmSync(at("share/provision"), { recursive: true });
    expect(treeOf(prefix)).toEqual(before);
    await bring({ boxes: "1.0" }, new HereHost(), { replace: true });
    expect(readFileSync(at("share/provision/replaced/libexec"), "utf8")).toMatch(/^a file/);
  });

  it("keep their name when two of them are replaced", async () => {
    for (const text of ["one", "two"]) {
      rmSync(at("bin/sk"), { force: true });
      writeFileSync(at("bin/sk"), text);
      await bring({ seeker: "1.0" }, new HereHost(), { replace: true });
    }

    expect(readFileSync(at("share/provision/replaced/bin/sk"), "utf8")).toBe("one");
    expect(readFileSync(at("share/provision/replaced/bin/sk~1"), "utf8")).toBe("two");
  });

  it("are those of another tool: neither is touched, and both are named", async () => {
    await bring({ seeker: "1.0" });
    const odd = release([{ path: "sk", mode: 0o755, body: someProgram("other") }], { binary: "sk" });

    await expect(bring({ odd }, new HereHost(), { replace: true })).rejects.toMatchObject(
      refusal(/bin\/sk" is of seeker and of odd/),
    );

    expect(says("sk")).toBe("sk 1.0");
  });
});

describe.skipIf(isLacking)(`what tools do not install${skipped}`, () => {
  const elf = (machine: number, size = 64) => {
    const head = Buffer.alloc(size);
    head.write("\u007fELF\u0002\u0001", "latin1");
    head.writeUInt16LE(machine, 18);
    return head;
  };
  const other = process.arch === "x64" ? 183 : 62;
  const own = process.arch === "x64" ? 62 : 183;
  const fine = { path: "odd", mode: 0o755, body: someProgram("odd") };

  it.each<[string, RegExp, TarMember[], object?]>([
    [
      "a program for another machine",
      /odd must be a program for \w+, is one for another/,
      [{ ...fine, body: elf(other) }],
    ],
    ["a program that is none", /odd must be a program for \w+, is none/, [{ ...fine, body: "hello" }]],
    [
      "a program too short to tell",
      /odd must be a program for \w+, is one for another/,
      [{ ...fine, body: elf(own).subarray(0, 18) }],
    ],
    [
      "an archive without the program",
      /must hold odd, does not; it holds deep\/odd;/,
      [{ ...fine, path: "deep/odd" }],
    ],
    [
      "an archive without the tree",
      /must hold tree, does not/,
      [fine],
      { extract_to: "/usr/local/odd", root: "tree" },
    ],
    ["pipes", /pipe is a device, socket or pipe/, [fine, { path: "pipe", type: "6" }]],
    ["control characters", /a name in it has a control character/, [fine, { path: "a\nb", body: "" }]],
    [
      "links out of the tree",
      /the link odd\/out leads nowhere, or out/,
      [fine, { path: "out", type: "2", target: "../../../../../../etc" }],
      { extract_to: "/usr/local/odd" },
    ],
    [
      "links to nothing",
      /the link odd\/out leads nowhere, or out/,
      [fine, { path: "out", type: "2", target: "nothing" }],
      { extract_to: "/usr/local/odd" },
    ],
    ["a program that is a link out", /odd leads out of it/, [{ path: "odd", type: "2", target: "/bin/sh" }]],
    [
      "its own store",
      /share\/provision is not a tool's/,
      [
        { path: "share/provision/x", body: "" },
        { ...fine, path: "bin/odd" },
      ],
      { extract_to: "/usr/local", binary: "bin/odd" },
    ],
  ])("is %s", async (_, reason, members, more) => {
    await bring({ seeker: "1.0" });
    const before = treeOf(prefix);

    await expect(bring({ odd: release(members, more) })).rejects.toMatchObject({
      code: "ACTION_FAILED",
      message: expect.stringMatching(reason) as string,
    });

    await bring({ seeker: "1.0" });
    expect(treeOf(prefix)).toEqual(before);
  });

  it("is the right to run as somebody else", async () => {
    await bring({ odd: release([{ ...fine, mode: 0o6755 }]) });

    expect(statSync(at("bin/odd")).mode & 0o7777).toBe(0o755);
  });

  it("is a program that could be, by its head alone", async () => {
    await bring({ odd: release([{ ...fine, body: elf(own) }]) });

    expect(existsSync(at("bin/odd"))).toBe(true);
  });

  it("is bytes that differ from the pin", async () => {
    const sources = sourcesWith({ seeker: "1.0" });
    const lying: Sources = {
      ...sources,
      async obtain(action, run) {
        const order = await sources.obtain(action, run);
        if (order.kind === "upload") writeFileSync(order.source.path, "something else");
        return order;
      },
    };

    const failed = settle(tools, { names: ["seeker"], prefix }, new HereHost(), { sources: lying });

    await expect(failed).rejects.toMatchObject({
      message: expect.stringMatching(/its SHA-256 must be [0-9a-f]{64}, is [0-9a-f]{64}/) as string,
    });
    expect(existsSync(at("bin/sk"))).toBe(false);
  });

  it("is an archive whose program is missing here: the package is named", async () => {
    const bin = join(folder, "without-xz");
    mkdirSync(bin);
    execFileSync("busybox", ["--install", "-s", bin]);
    for (const name of ["xz", "unxz", "xzcat"]) rmSync(join(bin, name), { force: true });
    // Busybox's own shell has all of its programs built in, whatever the path says.
    const shell = new HereHost(["/bin/dash"], { PATH: bin });

    await expect(bring({ crab: "1.0" }, shell)).rejects.toMatchObject({
      message: expect.stringContaining(
        "xz must be installed, is missing; add the package xz-utils",
      ) as string,
    });
  });

  it("is anything where the prefix cannot be written to", async () => {
    rmSync(at("share"), { recursive: true });
    writeFileSync(at("share"), "a file");

    await expect(bring({ seeker: "1.0" })).rejects.toMatchObject({
      message: expect.stringMatching(/Cannot write to .*\/prefix: .*make it writable/) as string,
    });
  });
});

/** Steps to be killed at: another one of every few each time, all of them with KILL_EVERY=1. */
function someOf(count: number): readonly number[] {
  const width = Number(process.env["KILL_EVERY"] ?? Math.ceil(count / 20));
  const first = 1 + Math.floor(Math.random() * width);
  return Array.from({ length: Math.ceil((count + 1 - first) / width) }, (_, index) => first + index * width);
}

describe.skipIf(isLacking)(`a run of tools that is killed${skipped}`, () => {
  const programs =
    "awk cat chmod chown find grep gzip head id ln ls mkdir mv od readlink rm rmdir sed sha256sum sort stat sync tar".split(
      " ",
    );

  it("is ended by the next one, wherever it was, and no command was missing in between", async () => {
    await bring({ seeker: "1.0" });
    const steps = stepPrograms(folder, programs);
    const pristine = join(folder, "pristine");
    execFileSync("cp", ["-a", prefix, pristine]);
    await bring({ seeker: "2.0" }, new HereHost(["sh"], steps.env()));
    const whole = treeOf(prefix);
    const count = steps.count();

    for (const step of someOf(count)) {
      rmSync(prefix, { recursive: true });
      execFileSync("cp", ["-a", pristine, prefix]);
      await bring({ seeker: "2.0" }, new HereHost(["sh"], steps.env(step))).catch(() => undefined);
      expect([step, says("sk")]).toEqual([step, expect.stringMatching(/^sk [12]\.0$/)]);
      await bring({ seeker: "2.0" });
      expect([step, ...treeOf(prefix)]).toEqual([step, ...whole]);
    }
    expect(count).toBeGreaterThan(40);
  });

  it("is ended by the next one when it was the first, or a removal", async () => {
    const steps = stepPrograms(folder, programs);
    const empty = treeOf(prefix);
    await bring({ boxes: "1.0" }, new HereHost(["sh"], steps.env()));
    const [whole, comes] = [treeOf(prefix), steps.count()];
    await remove(["boxes"], new HereHost(["sh"], steps.env()));
    const goes = steps.count();

    for (const step of someOf(Math.max(comes, goes))) {
      await bring({ boxes: "1.0" }, new HereHost(["sh"], steps.env(step))).catch(() => undefined);
      await bring({ boxes: "1.0" });
      expect([step, ...treeOf(prefix)]).toEqual([step, ...whole]);
      await remove(["boxes"], new HereHost(["sh"], steps.env(step))).catch(() => undefined);
      await remove(["boxes"]);
      expect([step, ...treeOf(prefix)]).toEqual([step, ...empty]);
    }
  });
});
