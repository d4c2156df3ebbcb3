import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import { createServer } from "node:http";
import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { expect, it } from "vitest";

import { runProgram } from "../../src/provisioner/cli/program.ts";
import { fakeShell } from "../support/fake-shell.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

const files: Readonly<Record<string, Buffer>> = {
  "/bat/bat-x86_64.tar.gz": Buffer.from("bat for x86_64"),
  "/bat/bat-aarch64.tar.gz": Buffer.from("bat for aarch64"),
  "/jq/jq-amd64": Buffer.from("jq"),
  "/images/disk.qcow2": Buffer.from("a disk"),
};
const bat = "/bat/bat-x86_64.tar.gz";

function digest(kind: string, path: string): string {
  return createHash(kind)
    .update(files[path] ?? "")
    .digest("hex");
}

const source = '{ url: "http://vendor.example", suites: [x], components: [main] }';

/** The pins of these files, all of them on one server. */
function versions(server: string): string {
  return `
bases:
  made: { kind: bootstrap, suite: x, distribution: debian-13, architecture: amd64, keyring: /k, sources: [${source}], packages: [apt] }
  disk: { kind: cloud-image, distribution: debian-13, architecture: amd64, version: "7", url: "${server}/images/disk.qcow2", sha512: ${digest("sha512", "/images/disk.qcow2")} }
tools:
  bat:
    version: "1.0"
    url: "${server}/bat/bat-{arch}.tar.gz"
    binary: bat
    sha256: { x86_64: ${digest("sha256", bat)}, aarch64: ${digest("sha256", "/bat/bat-aarch64.tar.gz")} }
  jq:
    version: "1.0"
    url: "${server}/jq/jq-amd64"
    arch: amd64
    sha256: ${digest("sha256", "/jq/jq-amd64")}
    system: true
`;
}

/** A project whose files a loopback server has, and a user who fetches them. */
async function world(broken: readonly string[] = []) {
  const requests: string[] = [];
  const server = createServer(({ url = "" }, response) => {
    requests.push(url);
    const body = files[url];
    if (body === undefined || broken.includes(url)) response.writeHead(404).end();
    else response.writeHead(200, { "content-length": body.length }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const home = await scratchFolder();
  const address = `http://127.0.0.1:${port}`;
  await writeFile(join(home, "versions.yaml"), versions(address));
  const env = { PROVISION_HOME: home, PROVISION_CACHE: join(home, "cache") };
  const fetch = async (...args: string[]) => {
    const shell = fakeShell(home, env);
    const code = await runProgram(["fetch", ...args], shell);
    return { code, out: shell.out.join(""), err: shell.err.join("") };
  };
  return {
    fetch,
    requests,
    home,
    address,
    out: join(home, "out"),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

it("fills the cache with every tool of an architecture", async () => {
  await using given = await world();

  const { code, out } = await given.fetch("--arch", "x86_64");

  expect(code).toBe(0);
  expect(out).toMatch(/^bat +1\.0 +x86_64 +bat-x86_64\.tar\.gz +0\.0 MiB +fetched$/m);
  expect(out).toMatch(/^2 files, 0\.0 MiB in the cache: 2 fetched$/m);
});

it("says what has no pin for the architecture, and goes on", async () => {
  await using given = await world();

  const { code, out, err } = await given.fetch("--arch", "aarch64");

  expect(code).toBe(0);
  expect(out).toContain("1 file, 0.0 MiB in the cache: 1 fetched");
  expect(err).toContain("jq is not pinned for aarch64: left out");
});

it("puts files where `sha256sum -c` and `sha512sum -c` find them right", async () => {
  await using given = await world();

  const { code } = await given.fetch("--arch", "all", "--bases", "--out", given.out);

  expect(code).toBe(0);
  const check = (program: string, list: string) =>
    execFileSync(program, ["--strict", "-c", list], { cwd: given.out, encoding: "utf8" });
  expect(check("sha256sum", "SHA256SUMS").trim().split("\n")).toHaveLength(3);
  expect(check("sha512sum", "SHA512SUMS")).toBe(`${digest("sha512", "/images/disk.qcow2")}/disk.qcow2: OK\n`);
});

it("does nothing the second time, and asks nobody", async () => {
  await using given = await world();
  await given.fetch("--arch", "all", "--out", given.out);
  const before = await listing(given.out);
  const asked = given.requests.length;

  const { code, out } = await given.fetch("--arch", "all", "--out", given.out);

  expect(code).toBe(0);
  expect(out).toContain("3 there\n");
  expect(await listing(given.out)).toEqual(before);
  expect(given.requests).toHaveLength(asked);
});

it("needs no cache to see that a folder is whole", async () => {
  await using given = await world();
  await given.fetch("bat", "--arch", "x86_64", "--out", given.out);
  await rm(join(given.home, "cache"), { recursive: true });

  const { code, out } = await given.fetch("bat", "--arch", "x86_64", "--out", given.out, "--offline");

  expect(code).toBe(0);
  expect(out).toContain("1 there\n");
});

it("mends a file that was damaged in the folder, from the cache", async () => {
  await using given = await world();
  await given.fetch("bat", "--arch", "x86_64", "--out", given.out);
  const path = join(given.out, digest("sha256", bat), "bat-x86_64.tar.gz");
  await rm(path);
  await writeFile(path, "damaged");

  const { out } = await given.fetch("bat", "--arch", "x86_64", "--out", given.out);

  expect(out).toContain("1 copied\n");
  expect(await readFile(path)).toEqual(files[bat]);
});

it("adds to a folder: the list names what earlier runs put there, and nothing half-written", async () => {
  await using given = await world();
  await given.fetch("bat", "--arch", "x86_64", "--out", given.out);
  const left = join(given.out, digest("sha256", bat), ".incoming-killed");
  await writeFile(left, "half");

  await given.fetch("jq", "--arch", "x86_64", "--out", given.out);

  const list = await readFile(join(given.out, "SHA256SUMS"), "utf8");
  expect(list.match(/\/(bat-x86_64\.tar\.gz|jq-amd64)$/gm)).toHaveLength(2);
  expect(list.trim().split("\n")).toHaveLength(2);
  await expect(stat(left)).rejects.toMatchObject({ code: "ENOENT" });
});

it("fills the cache of a machine without a network from such a folder", async () => {
  await using near = await world();
  await using far = await world(Object.keys(files));
  await near.fetch("--arch", "all", "--bases", "--out", near.out);

  const { code, out } = await far.fetch("--arch", "all", "--bases", "--offline", "--from", near.out);

  expect(code).toBe(0);
  expect(out).toContain("4 fetched\n");
  expect(far.requests).toEqual([]);
});

it("only says what is missing with --check", async () => {
  await using given = await world();
  await given.fetch("jq", "--arch", "x86_64", "--out", given.out);
  const asked = given.requests.length;

  const { code, out } = await given.fetch("--arch", "x86_64", "--out", given.out, "--check");

  expect(code).toBe(3);
  expect(out).toMatch(/bat-x86_64\.tar\.gz +to fetch$/m);
  expect(out).toContain(": 1 there, 1 to fetch\n");
  expect(given.requests).toHaveLength(asked);
});

it("makes no folder with --check", async () => {
  await using given = await world();

  await given.fetch("--arch", "x86_64", "--out", given.out, "--check");

  expect(await readdir(given.home)).not.toContain("out");
});

it("fetches the others when one fails, and says which", async () => {
  await using given = await world([bat]);

  const { code, out, err } = await given.fetch("--arch", "x86_64");

  expect(code).toBe(5);
  expect(out).toContain(": 1 fetched, 1 failed\n");
  expect(err).toMatch(/error DOWNLOAD_FAILED\n {2}Cannot download bat-x86_64\.tar\.gz/);
});

it("tells several failures as one", async () => {
  await using given = await world(Object.keys(files));

  const { code, err } = await given.fetch("--arch", "all");

  expect(code).toBe(5);
  expect(err).toMatch(/error FETCH_FAILED\n {2}Cannot fetch 3 of the files:/);
  expect(err.match(/Cannot download/g)).toHaveLength(3);
});

it("gives programs what they need with --json", async () => {
  await using given = await world();

  const { out } = await given.fetch("bat", "--arch", "x86_64", "--out", given.out, "--json");

  const events = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { kind: string; data?: unknown });
  const sha256 = digest("sha256", bat);
  expect(events.find(({ kind }) => kind === "result")?.data).toEqual({
    out: given.out,
    cache: join(given.home, "cache"),
    files: [
      {
        of: "bat",
        version: "1.0",
        architectures: ["x86_64"],
        file: "bat-x86_64.tar.gz",
        url: `${given.address}${bat}`,
        sha256,
        bytes: files[bat]?.length,
        outcome: "fetched",
        path: join(given.out, sha256, "bat-x86_64.tar.gz"),
      },
    ],
  });
});

it.each([
  [["bta"], /no tool or base of this name/, /"bat"/],
  [["made"], /made from a signed archive/, /build/],
  [["jq", "--arch", "aarch64"], /a digest for it, has none/, /--arch/],
  [["--arch", "arm"], /x86_64, aarch64 or all, is "arm"/, /uname -m/],
])("refuses %j", async (args, what, mend) => {
  await using given = await world();

  const { code, err } = await given.fetch(...args);

  expect(code).toBe(2);
  expect(err).toMatch(what);
  expect(err).toMatch(mend);
});

it("tells a folder that cannot be one", async () => {
  await using given = await world();
  await writeFile(given.out, "a file");

  const { code, err } = await given.fetch("bat", "--arch", "x86_64", "--out", given.out);

  expect(code).toBe(5);
  expect(err).toMatch(/error FOLDER_UNUSABLE/);
  expect(err).toContain("--out");
});

/** Every file under a folder, with what tells whether it was touched. */
async function listing(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder, { recursive: true });
  const each = names.toSorted().map(async (name) => {
    const { ino, mtimeMs, size } = await stat(join(folder, name));
    return `${name} ${ino} ${mtimeMs} ${size}`;
  });
  return Promise.all(each);
}
