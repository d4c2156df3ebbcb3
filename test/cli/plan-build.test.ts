import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { beforeEach, describe, expect, it } from "vitest";

import { runProgram } from "../../src/provisioner/cli/program.ts";
import { fakeShell } from "../support/fake-shell.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

const versions = `bases:
  debian-13:
    kind: bootstrap
    suite: trixie
    distribution: debian-13
    architecture: amd64
    keyring: /usr/share/keyrings/debian-archive-keyring.gpg
    sources: [{ url: "http://archive.example/debian", suites: [trixie], components: [main] }]
    packages: [openssh-server]
`;

/** A diamond: full includes left and right, both of which include root. */
const diamond = {
  root: `base: debian-13
tasks:
  - file: { path: /etc/root, content: x }
`,
  left: `includes: [root]
tasks:
  - file: { path: /etc/left, content: x }
  - file: { path: /etc/release, content: trixie }
    when: { distribution: [debian-13] }
`,
  right: `includes: [root]
tasks:
  - file: { path: /etc/right, content: x }
  - file: { path: /etc/release, content: noble }
    when: { distribution: [ubuntu] }
`,
  full: `includes: [left, right]
tasks:
  - file: { path: /etc/full, content: x }
`,
};

let home: string;

beforeEach(async () => {
  home = await scratchFolder();
  await mkdir(join(home, "specs"));
  await writeFile(join(home, "versions.yaml"), versions);
  await write(diamond);
});

async function write(specs: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(specs))
    await writeFile(join(home, "specs", `${name}.yaml`), text);
}

async function provision(...args: string[]) {
  const shell = fakeShell(home, { PROVISION_HOME: home, PROVISION_CACHE: join(home, "cache") });
  const exitCode = await runProgram(args, shell);
  return { exitCode, out: shell.out.join(""), err: shell.err.join("") };
}

describe("provision plan build", () => {
  it("prints the uses in order, a diamond's once, each with the place it comes from", async () => {
    const { exitCode, out, err } = await provision("plan", "build", "--spec", "full");

    expect(exitCode).toBe(3);
    expect(out.trimEnd().split("\n")).toEqual([
      "USE                FROM",
      "file /etc/root     specs/root.yaml:3",
      "file /etc/left     specs/left.yaml:3",
      "file /etc/release  specs/left.yaml:4",
      "file /etc/right    specs/right.yaml:3",
      "file /etc/release  specs/right.yaml:4  not on debian-13",
      "file /etc/full     specs/full.yaml:3",
      "Would build full: there is no image yet",
    ]);
    expect(err).toContain("/etc/release: absent -> trixie");
    expect(err).not.toContain("noble");
    expect(err).toMatch(/\n5 changes to make, 1 for other distributions, /);
    expect(await readdir(home)).not.toContain("images");
  });

  it("says the same with --json", async () => {
    const { out } = await provision("plan", "build", "--spec", "full", "--json");

    const events = out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { readonly kind: string; readonly data?: object });
    const result = events.find(({ kind }) => kind === "result");
    expect(result?.data).toMatchObject({
      why: ["there is no image yet"],
      uses: [
        { task: "file", use: "file /etc/root", from: "specs/root.yaml:3", applies: true },
        { use: "file /etc/left" },
        { use: "file /etc/release", from: "specs/left.yaml:4", applies: true },
        { use: "file /etc/right" },
        { use: "file /etc/release", from: "specs/right.yaml:4", applies: false },
        { use: "file /etc/full", from: "specs/full.yaml:3" },
      ],
    });
  });
});

describe.each([
  ["validate", "full"],
  ["plan", "build", "--spec", "full"],
  ["build", "--spec", "full"],
])("provision %s, before anything is built", (...args) => {
  const command = args.filter((word) => word !== undefined);

  it("names both files of two uses of one subject", async () => {
    await write({ right: diamond.right.replaceAll("/etc/right", "/etc/left") });

    const { exitCode, err } = await provision(...command);

    expect(exitCode).toBe(2);
    expect(err).toContain("specs/right.yaml:3:5");
    expect(err).toContain(
      "Cannot use file /etc/left twice: must be used once, is used at specs/left.yaml:3:5 too",
    );
  });

  it("refuses what would make the image somebody's", async () => {
    await write({ left: diamond.left.replaceAll("/etc/left", "/etc/hostname") });

    const { exitCode, err } = await provision(...command);

    expect(exitCode).toBe(2);
    expect(err).toContain("specs/left.yaml:3:5");
    expect(err).toContain(`must be nobody's, brings a host name ("/etc/hostname")`);
    expect(err).toContain("mend: Leave it out of the image");
  });
});

it.each([
  ["plan", "build"],
  ["build", "--yes"],
])("provision %s %s says that the disk is too small, and makes no base", async (...args) => {
  await write({ left: `disk: { rootGiB: 8 }\n${diamond.left}` });

  const { exitCode, err } = await provision(...args, "--spec", "full");

  expect(exitCode).toBe(2);
  expect(err).toContain("error DISK_TOO_SMALL");
  expect(err).toContain("specs/left.yaml:1:18");
  expect(err).toContain("the root file system must have 8 GiB, has 6.0 GiB");
  expect(await readdir(home)).not.toContain("cache");
});
