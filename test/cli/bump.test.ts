import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { diffLines } from "diff";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { helloAssets, helloEntry } from "../support/bump-shop.ts";
import { type CompiledCli, compileCli } from "../support/compiled-cli.ts";
import { type ReleaseServer, serveReleases } from "../support/release-server.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

let cli: CompiledCli;

beforeAll(async () => {
  cli = await compileCli();
}, 60_000);

afterAll(async () => {
  await cli[Symbol.asyncDispose]();
});

const { x86_64, aarch64 } = helloEntry("1.0.0").sha256 as Record<string, string>;

const pins = `# Pins.
bases: {}

tools:
  hello: # a tool
    version: "1.0.0"
    repo: example/hello
    artifact: hello-{version}-{arch}.tar.gz
    sha256: { x86_64: ${x86_64}, aarch64: ${aarch64} }
    binary: hello


  other:
    version: "2.0"
    repo: example/other
    artifact: hello-{version}-{arch}.tar.gz
    sha256:
      x86_64:   ${x86_64}
      aarch64: ${aarch64} # checked
    binary: hello
    bump: { hold: true }
`;

/** A project and a server with one newer release; runs the program there. */
async function project(text = pins) {
  const home = await scratchFolder();
  const file = join(home, "versions.yaml");
  await writeFile(file, text);
  const server = await serveReleases();
  server.releases.set("example/hello", [
    { tag: "v1.1.0", assets: helloAssets("1.1.0") },
    { tag: "v1.0.0", assets: helloAssets("1.0.0") },
  ]);
  return {
    home,
    file,
    server,
    bump: (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
      run(home, server, args, env),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function run(
  home: string,
  server: ReleaseServer,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
) {
  const own = {
    PATH: process.env["PATH"] ?? "",
    HOME: home,
    PROVISION_HOME: home,
    PROVISION_CACHE: join(home, "cache"),
    PROVISION_API_URL: server.api,
    GIT_CONFIG_SYSTEM: "/dev/null",
  };
  return execa("node", [cli.main, "bump", ...args], {
    reject: false,
    stdin: "ignore",
    cwd: home,
    extendEnv: false,
    env: { ...own, ...env },
  });
}

function resultOf(stdout: string): unknown {
  const events = stdout.split("\n").map((line) => JSON.parse(line) as { kind: string; data?: unknown });
  return events.find(({ kind }) => kind === "result")?.data;
}

describe("provision bump", () => {
  it("renews the file, shows the table and ends 0; the diff is the lines of version and digests", async () => {
    await using at = await project();

    const { exitCode, stdout } = await at.bump([]);

    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^TOOL +PINNED +NEWEST +AGE +DIGEST +LINK$/m);
    expect(stdout).toMatch(
      /^hello +1\.0\.0 +1\.1\.0 +30 days +asset +https:\/\/example\.org\/example\/hello\/releases\/tag\/v1\.1\.0$/m,
    );
    expect(stdout).toMatch(/^other +2\.0 +held$/m);
    expect(stdout).toContain("1 tool renewed in versions.yaml");
    const changed = diffLines(pins, await readFile(at.file, "utf8")).filter(({ added }) => added);
    expect(changed.map(({ value }) => value.trim().replaceAll(/[0-9a-f]{64}/g, "…"))).toEqual([
      'version: "1.1.0"',
      "sha256: { x86_64: …, aarch64: … }",
    ]);
  });

  it("has nothing to do in a second run", async () => {
    await using at = await project();
    await at.bump([]);
    const after = await readFile(at.file, "utf8");

    const { exitCode, stdout } = await at.bump([]);

    expect({ exitCode, last: stdout.includes("nothing to renew") }).toEqual({ exitCode: 0, last: true });
    expect(await readFile(at.file, "utf8")).toBe(after);
  });

  it("writes nothing with --check and ends 3 when something is newer, 0 when nothing is", async () => {
    await using at = await project();

    const newer = await at.bump(["--check"]);
    const text = await readFile(at.file, "utf8");
    at.server.releases.set("example/hello", [{ tag: "v1.0.0", assets: helloAssets("1.0.0") }]);
    const same = await at.bump(["--check"]);

    expect({ newer: newer.exitCode, same: same.exitCode, text }).toEqual({ newer: 3, same: 0, text: pins });
    expect(newer.stdout).toContain("1 tool to renew in versions.yaml");
  });

  it("renews what it can, ends 5 and says of the rest why, with the table", async () => {
    await using at = await project(pins.replace("    bump: { hold: true }\n", ""));
    at.server.releases.set("example/other", [{ tag: "v2.1", assets: { "hello-2.1.tgz": "renamed" } }]);

    const { exitCode, stdout, stderr } = await at.bump([]);

    expect(exitCode).toBe(5);
    expect(stdout).toMatch(/^other +2\.0 +failed$/m);
    expect(stderr).toContain("error ASSET_MISSING");
    expect(stderr).toContain('the release must have "hello-2.1-x86_64.tar.gz", has hello-2.1.tgz');
    const text = await readFile(at.file, "utf8");
    expect(text).toContain('version: "1.1.0"');
    expect(text).toContain('version: "2.0"');
  });

  it("names every tool that failed when they failed for different reasons", async () => {
    await using at = await project(pins.replace("    bump: { hold: true }\n", ""));
    at.server.releases.set("example/hello", [{ tag: "v1.1.0" }]);

    const { exitCode, stderr } = await at.bump([]);

    expect(exitCode).toBe(5);
    expect(stderr).toContain("error BUMP_FAILED");
    expect(stderr).toMatch(/hello: Cannot pin hello v1\.1\.0[\s\S]*other: Cannot ask for GET/);
  });

  it("says a rate limit once, however many tools it hits", async () => {
    await using at = await project(pins.replace("    bump: { hold: true }\n", ""));
    at.server.intercept = (_request, response) => {
      response.writeHead(429, { "retry-after": "600" }).end("{}");
      return true;
    };

    const { exitCode, stderr } = await at.bump([]);

    expect(exitCode).toBe(5);
    expect(stderr.match(/takes no further requests until/g)).toHaveLength(1);
    expect(stderr).toContain("error API_LIMITED");
  });

  it("edits other tools when one is written in a way that cannot be edited", async () => {
    await using at = await project(
      pins
        .replace("    bump: { hold: true }\n", "")
        .replace('version: "2.0"', 'version: &v "2.0"\n    license: *v'),
    );
    at.server.releases.set("example/other", [{ tag: "v2.1", assets: helloAssets("2.1") }]);

    const { exitCode, stderr } = await at.bump([]);

    expect(exitCode).toBe(5);
    expect(stderr).toContain("error PIN_EDIT_REFUSED");
    const text = await readFile(at.file, "utf8");
    expect(text).toContain('version: "1.1.0"');
    expect(text).toContain('version: &v "2.0"');
  });

  it("gives the result as data with --json", async () => {
    await using at = await project();

    const { exitCode, stdout } = await at.bump(["--check", "--json"]);

    expect(exitCode).toBe(3);
    expect(resultOf(stdout)).toMatchObject({
      check: true,
      changed: false,
      tools: [
        {
          tool: "hello",
          pinned: "1.0.0",
          version: "1.1.0",
          state: "newer",
          files: [{ origin: "asset", from: x86_64 }, {}],
        },
        { tool: "other", state: "held" },
      ],
      failed: [],
      pullRequest: null,
    });
  });

  it("takes no token from an answer or a log: it is shown nowhere", async () => {
    await using at = await project();

    const { all, stdout, stderr } = await at.bump(["--check", "--verbose", "--log", join(at.home, "log")], {
      GITHUB_TOKEN: "s3cret-token",
    });

    expect(at.server.requests[0]?.authorization).toBe("Bearer s3cret-token");
    expect(`${all}${stdout}${stderr}${await readFile(join(at.home, "log"), "utf8")}`).not.toContain("s3cret");
  });

  it.each<[readonly string[], Readonly<Record<string, string>>, string]>([
    [["helo"], {}, 'Name "hello"'],
    [["--check", "--pr"], {}, "Leave out one of them"],
    [["--accept-republished"], {}, "Name the tools"],
    [["--min-age", "soon"], {}, "It must be a number of days"],
    [["--api", "nowhere"], {}, "https://host/path"],
    [[], { GITHUB_TOKEN: "two words" }, "Correct or unset GITHUB_TOKEN"],
  ])("refuses %j with %j and ends 2, before any request", async (args, env, says) => {
    await using at = await project();

    const { exitCode, stderr } = await at.bump(args, env);

    expect(exitCode).toBe(2);
    expect(stderr).toContain(says);
    expect(at.server.requests).toEqual([]);
  });

  it("refuses a pull request without a token, before any request", async () => {
    await using at = await project();

    const { exitCode, stderr } = await at.bump(["--pr"]);

    expect(exitCode).toBe(5);
    expect(stderr).toContain("mend: Set GITHUB_TOKEN");
    expect(at.server.requests).toEqual([]);
  });

  it("opens a pull request with --pr and leaves the file here as it is", async () => {
    await using at = await project();
    const bare = join(at.home, "acme/pins.git");
    await mkdir(bare, { recursive: true });
    const git = (...args: string[]) => execa("git", args, { cwd: at.home });
    await git("init", "-q", "--bare", "-b", "main", bare);
    await git("init", "-q", "-b", "main");
    for (const [key, value] of [
      ["user.name", "Alice"],
      ["user.email", "alice@example.org"],
      ["commit.gpgSign", "false"],
    ])
      await git("config", key ?? "", value ?? "");
    await git("remote", "add", "origin", bare);
    await git("add", "versions.yaml");
    await git("commit", "-q", "-m", "Begin");
    await git("push", "-q", "origin", "main");

    const { exitCode, stdout } = await at.bump(["--pr", "hello", "--json"], { GH_TOKEN: "s3cret" });

    expect(exitCode).toBe(0);
    expect(resultOf(stdout)).toMatchObject({
      changed: false,
      pullRequest: { number: 1, state: "opened", branch: "bump/hello", base: "main", pushed: true },
    });
    expect(await readFile(at.file, "utf8")).toBe(pins);
    expect(at.server.pulls).toMatchObject([{ title: "Bump hello to 1.1.0", head: { ref: "bump/hello" } }]);
    expect((await git("-C", bare, "diff", "--numstat", "main", "bump/hello")).stdout).toBe(
      "2\t2\tversions.yaml",
    );
  });
});
