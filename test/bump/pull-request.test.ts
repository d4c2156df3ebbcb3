import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { execa } from "execa";
import { describe, expect, it } from "vitest";

import { openApi } from "../../src/provisioner/bump/api.ts";
import { applyRenewals } from "../../src/provisioner/bump/apply-renewals.ts";
import { findPinsRepository } from "../../src/provisioner/bump/pins-repository.ts";
import { requestPull } from "../../src/provisioner/bump/request-pull.ts";
import { helloAssets, helloEntry, renewOne } from "../support/bump-shop.ts";
import { quietRun } from "../support/quiet-run.ts";
import { type ReleaseServer, serveReleases, sha256 } from "../support/release-server.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

const token = { variable: "GITHUB_TOKEN", value: "s3cret" };

/** versions.yaml with one tool. */
function pins(version: string): string {
  const { sha256: digests } = helloEntry(version);
  const { x86_64, aarch64 } = digests as Record<string, string>;
  return `bases: {}
tools:
  hello:
    version: "${version}" # pinned
    repo: example/hello
    artifact: hello-{version}-{arch}.tar.gz
    sha256: { x86_64: ${x86_64}, aarch64: ${aarch64} }
    binary: hello
    license: MIT
`;
}

/** A clone of a bare repository acme/pins, with pins in a folder of it, and something of the user's in it. */
async function clone(name = "Alice") {
  const folder = await scratchFolder();
  const bare = join(folder, "acme/pins.git");
  const work = join(folder, "work");
  const home = { GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" };
  const git = async (...args: string[]) => (await execa("git", args, { cwd: work, env: home })).stdout;
  await mkdir(bare, { recursive: true });
  await execa("git", ["init", "-q", "--bare", "-b", "main", bare], { env: home });
  await execa("git", ["clone", "-q", bare, work], { env: home });
  await git("config", "user.name", name);
  await git("config", "user.email", "alice@example.org");
  await git("config", "commit.gpgSign", "false");
  await git("checkout", "-q", "-b", "main");
  await mkdir(join(work, "deep"));
  const file = join(work, "deep/versions.yaml");
  await writeFile(file, pins("1.0.0"));
  await writeFile(join(work, "notes.txt"), "one\n");
  await git("add", ".");
  await git("commit", "-q", "-m", "Begin");
  await git("push", "-q", "origin", "main");
  return { folder, work, file, git, bare };
}

async function serve(...versions: readonly string[]) {
  const server = await serveReleases();
  release(server, ...versions);
  return server;
}

function release(server: ReleaseServer, ...versions: readonly string[]) {
  server.releases.set(
    "example/hello",
    versions.map((version) => ({ tag: `v${version}`, assets: helloAssets(version) })),
  );
}

/** What the command does with --pr. */
async function pull(server: ReleaseServer, folder: string, file: string, branch?: string) {
  const run = quietRun();
  const repository = await findPinsRepository(file, "origin", run);
  const text = await readFile(file, "utf8");
  const pinned = /version: "(.*)"/.exec(text)?.[1] ?? "";
  const renewals = await renewOne(server, helloEntry(pinned, { license: "MIT" }));
  const applied = applyRenewals(text, renewals, "versions.yaml");
  const api = openApi({ base: server.api, token, fetch, run });
  const now = Date.now();
  const workDir = join(folder, "scratch");
  return await requestPull(applied, { api, repository, workDir, now, tools: [], ...(branch && { branch }) });
}

describe("a pull request", () => {
  it("is opened by the first run: one commit that changes exactly the lines of the pin", async () => {
    const { folder, file, git } = await clone();
    await using server = await serve("1.1.0", "1.0.0");

    const made = await pull(server, folder, file);

    expect(made).toMatchObject({
      state: "opened",
      number: 1,
      branch: "bump/tools",
      base: "main",
      pushed: true,
    });
    await git("fetch", "-q");
    const diff = await git("diff", "--numstat", "origin/main", "origin/bump/tools");
    expect(diff).toBe("2\t2\tdeep/versions.yaml");
    expect(await git("show", "origin/bump/tools:deep/versions.yaml")).toBe(pins("1.1.0").trimEnd());
    expect(await git("log", "--format=%an <%ae>%n%B", "origin/main..origin/bump/tools")).toBe(
      "Alice <alice@example.org>\nBump hello to 1.1.0\n\nhello 1.0.0 to 1.1.0\n\nBumped-by: provision bump\n",
    );
  });

  it("says all that a reviewer asks", async () => {
    const { folder, file } = await clone();
    await using server = await serve("1.1.0", "1.0.0");

    await pull(server, folder, file);

    const { title, body } = server.pulls[0] ?? {};
    expect(title).toBe("Bump hello to 1.1.0");
    expect(body).toMatch(
      /^\| hello \| 1\.0\.0 \| \[1\.1\.0\]\(https:\/\/example\.org\/example\/hello\/releases\/tag\/v1\.1\.0\) \| \d{4}-\d\d-\d\d, 30 days ago \| asset \| MIT \|$/m,
    );
    expect(body).toContain(
      `- \`hello-1.1.0-x86_64.tar.gz\` (x86_64): asset \`${sha256("hello-1.1.0-x86_64.tar.gz")}\`, 0.0 MiB (+0 %), uploaded by \`release-bot[bot]\` at 2`,
    );
  });

  it("is the same one in a later run, on the same branch, with what is newest then", async () => {
    const { folder, file, git } = await clone();
    await using server = await serve("1.1.0", "1.0.0");
    await pull(server, folder, file);
    release(server, "1.2.0", "1.1.0", "1.0.0");

    const again = await pull(server, folder, file);

    expect(again).toMatchObject({ state: "updated", number: 1, pushed: true });
    expect(server.pulls).toHaveLength(1);
    expect(server.pulls[0]).toMatchObject({ title: "Bump hello to 1.2.0" });
    await git("fetch", "-q");
    expect(await git("rev-list", "--count", "origin/main..origin/bump/tools")).toBe("1");
    expect(await git("show", "origin/bump/tools:deep/versions.yaml")).toBe(pins("1.2.0").trimEnd());
  });

  it("is not pushed again when the branch has it already, even when the base has gone on", async () => {
    const { folder, file, git } = await clone();
    await using server = await serve("1.1.0", "1.0.0");
    const first = await pull(server, folder, file);
    await git("commit", "-q", "--allow-empty", "-m", "Go on");
    await git("push", "-q", "origin", "main");

    const again = await pull(server, folder, file);

    expect(again).toMatchObject({ commit: first.commit, pushed: false, state: "updated" });
  });

  it("starts from the base as the remote has it, without what is here alone", async () => {
    const { folder, file, git } = await clone();
    await using server = await serve("1.1.0", "1.0.0");
    await git("checkout", "-q", "-b", "mine");
    await git("commit", "-q", "--allow-empty", "-m", "Not for others");

    await pull(server, folder, file);

    await git("fetch", "-q");
    expect(await git("rev-parse", "origin/bump/tools^")).toBe(await git("rev-parse", "origin/main"));
  });

  it("touches neither the branch that is checked out, nor the index, nor the work tree", async () => {
    const { folder, work, file, git } = await clone();
    await using server = await serve("1.1.0", "1.0.0");
    await writeFile(join(work, "notes.txt"), "two\n");
    await git("add", "notes.txt");
    await writeFile(join(work, "notes.txt"), "three\n");
    await git("status");
    const state = async () => ({
      index: sha256(await readFile(join(work, ".git/index"), "latin1")),
      head: await readFile(join(work, ".git/HEAD"), "utf8"),
      refs: await git("for-each-ref"),
      notes: await readFile(join(work, "notes.txt"), "utf8"),
      pins: await readFile(file, "utf8"),
    });
    const before = await state();

    await pull(server, folder, file);

    const { refs, ...after } = await state();
    const { refs: refsBefore, ...restBefore } = before;
    expect(after).toEqual(restBefore);
    // What git push notes down of the remote's branch is no branch of the user's.
    expect(
      refs
        .split("\n")
        .filter((line) => !line.endsWith("refs/remotes/origin/bump/tools"))
        .join("\n"),
    ).toBe(refsBefore);
  });

  it("keeps line ends as the repository has them, whatever the work tree has", async () => {
    const { folder, work, file, git } = await clone();
    await using server = await serve("1.1.0", "1.0.0");
    await writeFile(join(work, ".gitattributes"), "*.yaml text eol=crlf\n");
    await git("add", ".");
    await git("commit", "-q", "-m", "Windows");
    await git("push", "-q", "origin", "main");
    await git("rm", "-q", "--cached", "-r", ".");
    await git("reset", "-q", "--hard");
    expect(await readFile(file, "utf8")).toContain("\r\n");

    await pull(server, folder, file);

    await git("fetch", "-q");
    expect(await git("diff", "--numstat", "origin/main", "origin/bump/tools")).toBe(
      "2\t2\tdeep/versions.yaml",
    );
  });
});

describe("a pull request is refused", () => {
  it("when somebody else has worked on its branch, which stays as it is", async () => {
    const { folder, file, git } = await clone();
    await using server = await serve("1.1.0", "1.0.0");
    await git("commit", "-q", "--allow-empty", "-m", "Mine");
    await git("push", "-q", "origin", "HEAD:refs/heads/bump/tools");
    const before = await git("ls-remote", "origin");

    await expect(pull(server, folder, file)).rejects.toMatchObject({
      code: "PULL_REQUEST_NOT_READY",
      message: expect.stringContaining(
        'branch "bump/tools" of origin has commits that provision did not make',
      ) as string,
    });

    expect(await git("ls-remote", "origin")).toBe(before);
    expect(server.pulls).toEqual([]);
  });

  it.each<[string, (at: Awaited<ReturnType<typeof clone>>) => Promise<unknown>, string]>([
    [
      "the file has changes",
      ({ file }) => writeFile(file, `${pins("1.0.0")}# more\n`),
      "must be as it is committed, has changes",
    ],
    [
      "changes of the file are staged",
      async ({ file, git }) => {
        await writeFile(file, `${pins("1.0.0")}# more\n`);
        await git("add", ".");
        await writeFile(file, pins("1.0.0"));
      },
      "must be as it is committed, has changes",
    ],
    [
      "the file is not committed",
      ({ git }) => git("rm", "-q", "--cached", "deep/versions.yaml"),
      "must be committed, is not",
    ],
    [
      "there is no such remote",
      ({ git }) => git("remote", "rename", "origin", "upstream"),
      'there must be a remote "origin", is none',
    ],
    [
      "the remote is no owner/name",
      ({ git }) => git("remote", "set-url", "origin", "nowhere"),
      "must end with OWNER/NAME, does not",
    ],
    [
      "nobody has said who commits",
      ({ git }) => git("config", "user.name", ""),
      "git must know who commits, does not",
    ],
    [
      "the pins differ from the base's",
      async ({ file, git }) => {
        await writeFile(file, `# mine\n${pins("1.0.0")}`);
        await git("commit", "-q", "-a", "-m", "Mine");
      },
      "must be the same here and on origin/main, is not",
    ],
  ])("when %s", async (_what, prepare, says) => {
    const at = await clone();
    await using server = await serve("1.1.0", "1.0.0");
    await prepare(at);

    await expect(pull(server, at.folder, at.file)).rejects.toMatchObject({
      code: "PULL_REQUEST_NOT_READY",
      message: expect.stringContaining(says) as string,
    });

    expect(server.pulls).toEqual([]);
  });

  it("when the API refuses the token, before anything is pushed", async () => {
    const { folder, file, git } = await clone();
    await using server = await serve("1.1.0", "1.0.0");
    server.intercept = (request, response) => {
      if (request.headers.authorization === undefined) return false;
      response.writeHead(401).end('{"message":"Bad credentials"}');
      return true;
    };

    await expect(pull(server, folder, file)).rejects.toThrow(
      "there must be a token, is none that the API takes",
    );

    expect(await git("ls-remote", "origin", "refs/heads/bump/*")).toBe("");
  });

  it("when it is no repository at all", async () => {
    const folder = await scratchFolder();
    await writeFile(join(folder, "versions.yaml"), pins("1.0.0"));

    await expect(
      findPinsRepository(join(folder, "versions.yaml"), "origin", quietRun()),
    ).rejects.toMatchObject({
      message: expect.stringContaining("must lie in a git repository") as string,
    });
  });

  it("when a branch cannot have the name", async () => {
    const { folder, file } = await clone();
    await using server = await serve("1.1.0", "1.0.0");

    await expect(pull(server, folder, file, "a..b")).rejects.toThrow('"a..b" must be a name for a branch');
  });
});

it.each([
  "https://github.com/acme/pins.git",
  "https://github.com/acme/pins",
  "https://user:secret@github.example.org:8443/acme/pins.git/",
  "git@github.com:acme/pins.git",
  "ssh://git@github.com:22/acme/pins.git",
])("finds owner and name in %s", async (url) => {
  const { file, git } = await clone();
  await git("remote", "set-url", "origin", url);

  expect(await findPinsRepository(file, "origin", quietRun())).toMatchObject({ owner: "acme", repo: "pins" });
});
