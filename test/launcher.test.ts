import { execFile, execFileSync, spawn } from "node:child_process";
import { chmod, copyFile, mkdir, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { expect, it } from "vitest";

import { endsWithTest } from "./support/ends-with-test.ts";
import { scratchFolder } from "./support/scratch-folder.ts";

const launcher = join(import.meta.dirname, "../provision");
const start = promisify(execFile);

it("installs and compiles on the first start, and hands its arguments on", async () => {
  const home = await project();

  const { stdout } = await home.start("build", "--spec", "a b", "*");

  expect(stdout).toBe('["build","--spec","a b","*"]\n');
  expect(await home.journal()).toEqual([
    "npm install --no-save --ignore-scripts",
    "tsc -p tsconfig.build.json",
  ]);
});

it("does not outlive the test that started it, in whatever process group it is", async () => {
  const argv = JSON.stringify(endsWithTest(["sleep", "60"]));
  // In the test's place: it says who its child is, and is killed.
  const test = spawn("node", [
    "-e",
    `const [file, ...argv] = ${argv}; const child = require("child_process").spawn(file, argv, { detached: true });
     console.log(child.pid); setInterval(() => {}, 1000);`,
  ]);
  const pid = Number(await new Promise((resolve) => test.stdout.once("data", resolve)));
  // Empty, too, of one that has ended and that nobody asked about yet.
  const runs = () => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  await expect.poll(runs, { timeout: 10_000 }).toMatch(/^sleep/);

  test.kill("SIGKILL");

  await expect.poll(runs, { timeout: 10_000 }).toBe("");
});

it("does neither on the second start", async () => {
  const home = await project();
  await home.start();

  const { stderr } = await home.start();

  expect(stderr).toBe("");
  expect(await home.journal()).toHaveLength(2);
});

it("compiles again when a source is newer", async () => {
  const home = await project();
  await home.start();
  await later(join(home.root, "src/main.ts"));

  await home.start();

  expect(await home.journal()).toEqual([
    "npm install --no-save --ignore-scripts",
    "tsc -p tsconfig.build.json",
    "tsc -p tsconfig.build.json",
  ]);
});

it("does not install again for the same list of packages, only because the file is younger", async () => {
  const home = await project();
  await home.start();
  await later(join(home.root, "package-lock.json"));

  await home.start();

  expect((await home.journal()).filter((line) => line.startsWith("npm"))).toHaveLength(1);
});

it("installs again when the list of packages changed", async () => {
  const home = await project();
  await home.start();
  await writeFile(join(home.root, "package-lock.json"), '{"changed":true}');
  await later(join(home.root, "package-lock.json"));

  await home.start();

  expect((await home.journal()).filter((line) => line.startsWith("npm"))).toHaveLength(2);
});

it("compiles once when two start at the same time, and both run", async () => {
  const home = await project();

  const both = await Promise.all([home.start("one"), home.start("two")]);

  expect(both.map(({ stdout }) => stdout)).toEqual(['["one"]\n', '["two"]\n']);
  expect(await home.journal()).toHaveLength(2);
});

it("has Node keep what it compiled beside the compiled program, unless the user says otherwise", async () => {
  const { root, env, start: startThere } = await project();
  const ours = await startThere("cache");

  const theirs = await start(join(root, "provision"), ["cache"], {
    env: { ...env, NODE_COMPILE_CACHE: "/elsewhere" },
  });

  expect([ours.stdout, theirs.stdout]).toEqual([`${join(root, "dist/.compiled")}\n`, "/elsewhere\n"]);
});

it("starts through links and from any folder", async () => {
  const home = await project();
  const bin = await scratchFolder();
  await symlink(join(home.root, "provision"), join(bin, "absolute"));
  await symlink("absolute", join(bin, "provision"));

  const { stdout } = await start(join(bin, "provision"), ["here"], { env: home.env, cwd: "/" });

  expect(stdout).toBe('["here"]\n');
});

it("compiles again after a compilation that failed", async () => {
  const home = await project();
  await writeFile(join(home.root, "broken"), "");

  await expect(home.start()).rejects.toMatchObject({
    code: 5,
    stderr: expect.stringContaining("BUILD_FAILED") as string,
  });
  await rm(join(home.root, "broken"));
  const { stdout } = await home.start("again");

  expect(stdout).toBe('["again"]\n');
});

it.each([
  ["v18.20.4", "must be 20.19 or later, is v18.20.4"],
  ["v20.18.1", "must be 20.19 or later, is v20.18.1"],
])("says so when Node is %s", async (version, says) => {
  const home = await project();
  await program(join(home.root, "bin/node"), `#!/bin/sh\necho ${version}\n`);

  await expect(home.start()).rejects.toMatchObject({
    code: 5,
    stderr: expect.stringContaining(says) as string,
  });
});

it("says so when Node is missing", async () => {
  const home = await project();
  await rm(join(home.root, "bin/node"));

  await expect(home.start()).rejects.toMatchObject({
    code: 5,
    stderr: expect.stringContaining("is not there") as string,
  });
});

/** A folder laid out like ours, with stand-ins for npm and the compiler that write down what they were asked. */
async function project() {
  const root = await scratchFolder();
  const env = { PATH: join(root, "bin") };
  for (const folder of ["bin", "src"]) await mkdir(join(root, folder));
  for (const file of ["src/main.ts", "tsconfig.json", "tsconfig.build.json"])
    await writeFile(join(root, file), "");
  await writeFile(join(root, "package-lock.json"), "{}");
  await writeFile(join(root, "package.json"), '{"type":"module"}');
  await copyFile(launcher, join(root, "provision"));
  const path = process.env["PATH"] ?? "";
  for (const name of [
    "sh",
    "readlink",
    "dirname",
    "cmp",
    "find",
    "head",
    "flock",
    "cp",
    "mkdir",
    "mv",
    "cat",
  ])
    await symlink(
      execFileSync("which", [name], { env: { PATH: path } })
        .toString()
        .trim(),
      join(root, "bin", name),
    );
  await symlink(process.execPath, join(root, "bin/node"));
  await program(
    join(root, "bin/npm"),
    [
      "#!/bin/sh",
      'echo "npm $1 $2 $3" >>journal',
      "mkdir -p node_modules/typescript/bin",
      "cp bin/tsc node_modules/typescript/bin/tsc",
      "cat package-lock.json >node_modules/.package-lock.json",
      "",
    ].join("\n"),
  );
  await program(
    join(root, "bin/tsc"),
    [
      'const fs = require("node:fs");',
      'fs.appendFileSync("journal", `tsc ${process.argv.slice(2).join(" ")}\\n`);',
      'if (fs.existsSync("broken")) process.exit(2);',
      'fs.mkdirSync("dist/provisioner", { recursive: true });',
      'fs.writeFileSync("dist/provisioner/main.js", "console.log(process.argv[2] === `cache` ? process.env.NODE_COMPILE_CACHE : JSON.stringify(process.argv.slice(2)))");',
      "",
    ].join("\n"),
  );
  return {
    root,
    env,
    start: (...args: string[]) => start(join(root, "provision"), args, { env }),
    journal: async () => (await readFile(join(root, "journal"), "utf8")).trim().split("\n"),
  };
}

async function program(path: string, text: string): Promise<void> {
  await rm(path, { force: true });
  await writeFile(path, text);
  await chmod(path, 0o755);
}

/** Makes a file younger than anything that was made just now. */
async function later(path: string): Promise<void> {
  const soon = new Date(Date.now() + 60_000);
  await utimes(path, soon, soon);
}
