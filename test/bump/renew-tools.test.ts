import { describe, expect, it } from "vitest";

import { helloAssets, helloEntry, renewOne } from "../support/bump-shop.ts";
import { serveReleases, type ServedRelease, sha256 } from "../support/release-server.ts";

/** A server with releases of example/hello. */
async function serve(...releases: readonly ServedRelease[]) {
  const server = await serveReleases();
  server.releases.set("example/hello", releases);
  return server;
}

function release(version: string, changes: Partial<ServedRelease> = {}): ServedRelease {
  return { tag: `v${version}`, assets: helloAssets(version), ...changes };
}

function withFile(
  version: string,
  name: string,
  file: Partial<Exclude<NonNullable<ServedRelease["assets"]>[string], string>>,
) {
  const assets = helloAssets(version);
  return { ...assets, [name]: { bytes: assets[name] ?? "", ...file } };
}

const x86 = (version: string) => `hello-${version}-x86_64.tar.gz`;
const arm = (version: string) => `hello-${version}-aarch64.tar.gz`;

describe("the newest release", () => {
  it("is taken with the digest of every architecture, by one request", async () => {
    await using server = await serve(release("1.1.0"), release("1.0.0"));

    const { renewals } = await renewOne(server, helloEntry("1.0.0"));

    expect(renewals).toMatchObject([
      {
        state: "newer",
        version: "1.1.0",
        link: "https://example.org/example/hello/releases/tag/v1.1.0",
        edits: [
          { path: ["tools", "hello", "version"], value: "1.1.0" },
          { path: ["tools", "hello", "sha256", "x86_64"], value: sha256(x86("1.1.0")) },
          { path: ["tools", "hello", "sha256", "aarch64"], value: sha256(arm("1.1.0")) },
        ],
        files: [{ origin: "asset", oldSize: 25 }, { origin: "asset" }],
      },
    ]);
    expect(server.requests).toHaveLength(1);
  });

  it.each<[string, readonly ServedRelease[]]>([
    ["a draft", [release("2.0.0", { draft: true })]],
    ["what upstream calls a prerelease", [release("2.0.0", { prerelease: true })]],
    [
      "what its version calls a prerelease",
      [release("2.0.0-rc.1"), release("2.0.0rc1"), release("2.0.0-beta")],
    ],
    ["a fix of an older line that came out later", [release("0.9.9", { daysAgo: 5 })]],
    [
      "a tag of something else",
      [{ tag: "latest" }, { tag: "nightly-9.9.9" }, { tag: "v" }, { tag: "other-v9.9.9" }],
    ],
  ])("is not %s", async (_what, others) => {
    await using server = await serve(...others, release("1.0.0"));

    const { renewals, failed } = await renewOne(server, helloEntry("1.0.0"));

    expect(failed).toEqual([]);
    expect(renewals).toMatchObject([{ state: "current", version: "1.0.0", edits: [] }]);
  });

  it("is the highest version, not the first of the list", async () => {
    await using server = await serve(release("1.2.9"), release("1.9.0"), release("1.10.0"), release("1.2.8"));

    const { renewals } = await renewOne(server, helloEntry("1.2.8"));

    expect(renewals).toMatchObject([{ version: "1.10.0" }]);
  });

  it("never leads back when the pinned one was withdrawn", async () => {
    await using server = await serve(release("1.0.0"));

    const { renewals, failed } = await renewOne(server, helloEntry("1.1.0"));

    expect(renewals).toEqual([]);
    expect(failed).toMatchObject([{ tool: "hello", error: { code: "RELEASE_GONE", exitCode: 5 } }]);
  });

  it("is taken when the pinned one was withdrawn and there is a newer one", async () => {
    await using server = await serve(release("1.1.1"), release("1.0.0"));

    const { renewals } = await renewOne(server, helloEntry("1.1.0"));

    expect(renewals).toMatchObject([{ version: "1.1.1" }]);
  });

  it("stays on a major version that is asked for", async () => {
    await using server = await serve(release("2.0.0"), release("1.1.0"), release("1.0.0"));

    const { renewals } = await renewOne(server, helloEntry("1.0.0", { bump: { major: 1 } }));

    expect(renewals).toMatchObject([{ version: "1.1.0" }]);
  });

  it("is looked for on further pages until the pinned one was seen", async () => {
    const many = Array.from({ length: 70 }, (_, index) => ({ tag: `nightly-${index}` }));
    await using server = await serve(...many, release("1.1.0"), release("1.0.0"), ...many);

    const { renewals } = await renewOne(server, helloEntry("1.0.0"));

    expect(renewals).toMatchObject([{ version: "1.1.0" }]);
    expect(server.requests.map(({ path }) => /[^_]page=(\d+)/.exec(path)?.[1])).toEqual(["1", "2", "3"]);
  });

  it("is not looked for when the tool is held, and no request is made", async () => {
    await using server = await serve(release("1.1.0"));

    const { renewals } = await renewOne(
      server,
      helloEntry("1.0.0", { bump: { hold: "until the cluster moves" } }),
    );

    expect(renewals).toMatchObject([{ state: "held", edits: [], notes: ["held: until the cluster moves"] }]);
    expect(server.requests).toEqual([]);
  });

  it("is told by bump.match where tags are of many things", async () => {
    await using server = await serve(
      { tag: "cli/v9.0.0" },
      { tag: "hello/v1.1.0", assets: helloAssets("1.1.0") },
    );
    const entry = helloEntry("1.0.0", {
      tag: "hello/v{version}",
      bump: { match: "^hello/v(?<version>[0-9.]+)$" },
    });

    const { renewals } = await renewOne(server, entry);

    expect(renewals).toMatchObject([{ version: "1.1.0" }]);
  });

  it("comes from the tags, dated by their commits, where bump.source says so", async () => {
    await using server = await serveReleases();
    server.tags.set("example/hello", [
      { tag: "weekly.2" },
      { tag: "go1.3.0", daysAgo: 1 },
      { tag: "go1.2.0", daysAgo: 9 },
      { tag: "go1.10rc1" },
      ...Array.from({ length: 120 }, (_, index) => ({ tag: `junk${index}` })),
      { tag: "go1.1.0" },
    ]);
    server.others.set("/dist/hello1.2.0-x86_64.tar.gz", "one");
    server.others.set("/dist/hello1.2.0-aarch64.tar.gz", "two");
    const { artifact: _, ...entry } = helloEntry("1.1.0", {
      url: `${server.files.replace("/files", "/dist")}/hello{version}-{arch}.tar.gz`,
      bump: { source: "tags", match: "^go(?<version>\\d+\\.\\d+\\.\\d+)$" },
    });

    const { renewals } = await renewOne(server, entry);

    expect(renewals).toMatchObject([
      {
        version: "1.2.0",
        notes: ["1.3.0 waits: out for 1 day, needs 3 days"],
        files: [
          { found: sha256("one"), origin: "downloaded" },
          { found: sha256("two"), origin: "downloaded" },
        ],
      },
    ]);
  });
});

describe("a release that is young", () => {
  it("waits, and the next older one is taken", async () => {
    await using server = await serve(
      release("1.2.0", { daysAgo: 0.5 }),
      release("1.1.0", { daysAgo: 3.1 }),
      release("1.0.0"),
    );

    const { renewals } = await renewOne(server, helloEntry("1.0.0"));

    expect(renewals).toMatchObject([
      { version: "1.1.0", notes: ["1.2.0 waits: out for less than a day, needs 3 days"] },
    ]);
  });

  it("waits when one of its files was uploaded lately, however old the release is", async () => {
    const assets = withFile("1.1.0", arm("1.1.0"), { uploadedDaysAgo: 1.5 });
    await using server = await serve(release("1.1.0", { assets }), release("1.0.0"));

    const { renewals } = await renewOne(server, helloEntry("1.0.0"));

    expect(renewals).toMatchObject([
      { state: "current", notes: ["1.1.0 waits: a file of it is out for 1 day, needs 3 days"] },
    ]);
  });

  it.each([
    ["bump.minAgeDays", { bump: { minAgeDays: 0 } }, {}],
    ["the command line", { bump: { minAgeDays: 90 } }, { minAgeDays: 0 }],
  ])("is taken at once when %s says so", async (_what, changes, shop) => {
    await using server = await serve(release("1.1.0", { daysAgo: 0 }), release("1.0.0"));

    const { renewals } = await renewOne(server, helloEntry("1.0.0", changes), shop);

    expect(renewals).toMatchObject([{ version: "1.1.0" }]);
  });
});

describe("a file that is not what it should be", () => {
  it("keeps the old pin and names the nearest files when it was renamed", async () => {
    const assets = {
      "hello-1.1.0-linux-x86_64.tar.gz": "one",
      "hello-1.1.0-linux-aarch64.tar.gz": "two",
      "notes.txt": "",
    };
    await using server = await serve(release("1.1.0", { assets }), release("1.0.0"));

    const { renewals, failed } = await renewOne(server, helloEntry("1.0.0"));

    expect(renewals).toEqual([]);
    expect(failed).toMatchObject([{ pinned: "1.0.0", error: { code: "ASSET_MISSING" } }]);
    expect(failed[0]?.error.message).toBe(
      'Cannot pin hello v1.1.0 for x86_64: the release must have "hello-1.1.0-x86_64.tar.gz", has ' +
        "hello-1.1.0-linux-x86_64.tar.gz, hello-1.1.0-linux-aarch64.tar.gz",
    );
  });

  it("keeps the old pin when one architecture is missing", async () => {
    await using server = await serve(
      release("1.1.0", { assets: { [x86("1.1.0")]: "one" } }),
      release("1.0.0"),
    );

    const { failed } = await renewOne(server, helloEntry("1.0.0"));

    expect(failed[0]?.error.message).toContain(`for aarch64: the release must have "${arm("1.1.0")}"`);
  });

  it("keeps the old pin when the release has no files at all", async () => {
    await using server = await serve(release("1.1.0", { assets: {} }), release("1.0.0"));

    const { failed } = await renewOne(server, helloEntry("1.0.0"));

    expect(failed[0]?.error.message).toMatch(/has nothing like it$/);
  });

  it("is an error with both digests and the time when it was published again", async () => {
    const assets = withFile("1.0.0", arm("1.0.0"), { bytes: "other", uploadedDaysAgo: 2 });
    await using server = await serve(release("1.0.0", { assets }));

    const { failed } = await renewOne(server, helloEntry("1.0.0"));

    expect(failed).toMatchObject([{ error: { code: "ASSET_REPUBLISHED" } }]);
    expect(failed[0]?.error.message).toContain(
      `must still be sha256 ${sha256(arm("1.0.0"))}, is ${sha256("other")}`,
    );
    expect(failed[0]?.error.message).toMatch(/uploaded \d{4}-\d\d-\d\dT/);
  });

  it("is taken when it was published again and that is accepted", async () => {
    const assets = withFile("1.0.0", arm("1.0.0"), { bytes: "other" });
    await using server = await serve(release("1.0.0", { assets }));

    const { renewals } = await renewOne(server, helloEntry("1.0.0"), { acceptRepublished: true });

    expect(renewals).toMatchObject([
      {
        state: "republished",
        version: "1.0.0",
        edits: [{ path: ["tools", "hello", "sha256", "aarch64"], value: sha256("other") }],
      },
    ]);
  });

  it("is told when upstream marks the pinned release a prerelease afterwards", async () => {
    await using server = await serve(release("1.0.0", { prerelease: true }));

    const { renewals } = await renewOne(server, helloEntry("1.0.0"));

    expect(renewals).toMatchObject([
      { state: "current", notes: ["1.0.0 is marked a prerelease upstream by now"] },
    ]);
  });
});

describe("a digest", () => {
  const noDigests = (version: string) =>
    Object.fromEntries(
      Object.entries(helloAssets(version)).map(([name, bytes]) => [name, { bytes, digest: null }]),
    );
  const list = (version: string) =>
    `${sha256(x86(version))}  ${x86(version)}\n${sha256(arm(version))} *${arm(version)}\n`;

  it("is hashed from the download when there is no other way", async () => {
    await using server = await serve(release("1.1.0", { assets: noDigests("1.1.0") }), release("1.0.0"));

    const { renewals } = await renewOne(server, helloEntry("1.0.0"));

    expect(renewals[0]?.files).toMatchObject([
      { found: sha256(x86("1.1.0")), origin: "downloaded" },
      { found: sha256(arm("1.1.0")), origin: "downloaded" },
    ]);
  });

  it("comes from a list of the release, without a download of the file", async () => {
    const assets = { ...noDigests("1.1.0"), "SHA256SUMS-1.1.0": list("1.1.0") };
    await using server = await serve(release("1.1.0", { assets }), release("1.0.0"));

    const entry = helloEntry("1.0.0", { bump: { checksums: "SHA256SUMS-{version}" } });
    const { renewals } = await renewOne(server, entry);

    expect(renewals[0]?.files).toMatchObject([
      { found: sha256(x86("1.1.0")), origin: "checksums" },
      { found: sha256(arm("1.1.0")), origin: "checksums" },
    ]);
    expect(server.requests.filter(({ path }) => path.endsWith(".tar.gz"))).toEqual([]);
  });

  it("comes from a list at a URL, of which {artifact} may be a part", async () => {
    await using server = await serve(release("1.1.0", { assets: noDigests("1.1.0") }), release("1.0.0"));
    for (const name of [x86("1.1.0"), arm("1.1.0")])
      server.others.set(`/sums/${name}.sha256`, `${sha256(name)}\n`);

    const checksums = `${server.files.replace("/files", "/sums")}/{artifact}.sha256`;
    const { renewals } = await renewOne(server, helloEntry("1.0.0", { bump: { checksums } }));

    expect(renewals[0]?.files).toMatchObject([{ origin: "checksums" }, { origin: "checksums" }]);
  });

  it("is said to be by both where the API and a list agree", async () => {
    const assets = { ...helloAssets("1.1.0"), SHA256SUMS: list("1.1.0") };
    await using server = await serve(release("1.1.0", { assets }), release("1.0.0"));

    const { renewals } = await renewOne(server, helloEntry("1.0.0", { bump: { checksums: "SHA256SUMS" } }));

    expect(renewals[0]?.files).toMatchObject([
      { origin: "asset, checksums" },
      { origin: "asset, checksums" },
    ]);
  });

  it("is refused where the API and a list disagree", async () => {
    const assets = {
      ...helloAssets("1.1.0"),
      SHA256SUMS: list("1.1.0").replaceAll(/^[0-9a-f]{64}/gm, sha256("evil")),
    };
    await using server = await serve(release("1.1.0", { assets }), release("1.0.0"));

    const { failed } = await renewOne(server, helloEntry("1.0.0", { bump: { checksums: "SHA256SUMS" } }));

    expect(failed).toMatchObject([{ error: { code: "DIGESTS_DISAGREE" } }]);
    expect(failed[0]?.error.message).toContain(sha256("evil"));
    expect(failed[0]?.error.message).toContain(sha256(x86("1.1.0")));
  });

  it.each([
    ["the release lacks it", {}, "has nothing like it"],
    [
      "it does not name the file",
      { SHA256SUMS: `${sha256("x")}  ${x86("1.1.0")}.minisig\n${sha256("y")}  z\n` },
      "has none",
    ],
    ["it is too large", { SHA256SUMS: "#".repeat(5 * 1024 ** 2) }, "must be at most 4194304 bytes"],
  ])("is an error where a list is promised and %s: never a silent download", async (_what, more, says) => {
    await using server = await serve(
      release("1.1.0", { assets: { ...noDigests("1.1.0"), ...more } }),
      release("1.0.0"),
    );

    const { failed } = await renewOne(server, helloEntry("1.0.0", { bump: { checksums: "SHA256SUMS" } }));

    expect(failed).toMatchObject([{ error: { code: "CHECKSUM_MISSING" } }]);
    expect(failed[0]?.error.message).toContain(says);
  });

  it("stays one where the entry has one, for a part that is the same for all machines", async () => {
    const more = (version: string) => ({
      ...helloAssets(version),
      [`completions-${version}.tar.gz`]: "completions",
    });
    await using server = await serve(
      release("1.1.0", { assets: more("1.1.0") }),
      release("1.0.0", { assets: more("1.0.0") }),
    );
    const part = { artifact: "completions-{version}.tar.gz", sha256: sha256("old"), binary: "x" };

    const { renewals } = await renewOne(server, helloEntry("1.0.0", { parts: [part] }));

    const path = ["tools", "hello", "parts", 0, "sha256"];
    expect(renewals[0]?.edits).toHaveLength(4);
    expect(renewals[0]?.edits).toContainEqual({ path, value: sha256("completions") });
  });

  it("is refused where one stands for two different files", async () => {
    const more = { ...helloAssets("1.1.0"), "extra-x86_64.zip": "one", "extra-aarch64.zip": "two" };
    await using server = await serve(release("1.1.0", { assets: more }), release("1.0.0"));
    const part = { artifact: "extra-{arch}.zip", sha256: sha256("one"), binary: "x" };

    const { failed } = await renewOne(server, helloEntry("1.0.0", { parts: [part] }));

    expect(failed[0]?.error.message).toContain("parts.0.sha256 is one digest for two files");
  });
});

describe("an entry that says too little", () => {
  it.each([
    [
      "neither repo nor bump.repo",
      { repo: undefined, artifact: undefined, url: "https://example.org/{version}" },
      "neither repo nor bump.repo",
    ],
    ["a match without a group", { bump: { match: "^v(.*)$" } }, 'must have a group named "version"'],
    ["a list with an unknown word in its name", { bump: { checksums: "{vresion}.txt" } }, 'has "{vresion}"'],
    ["a match that is no expression", { bump: { match: "(?<version>" } }, "must be a regular expression"],
    [
      "a tag that no release has",
      { tag: "hello-{version}" },
      "none of the 1 releases of example/hello is a version",
    ],
    ["a version that begins with no number", { version: "r12", tag: "{version}" }, "begins with no number"],
    [
      "a match whose tag the template does not make",
      { bump: { match: "^v(?<version>\\d+)" } },
      "is a version",
    ],
  ])("is an error of its own: %s", async (_what, changes, says) => {
    await using server = await serve(release("1.1.0"));
    const entry = Object.fromEntries(
      Object.entries({ ...helloEntry("1.0.0"), ...changes }).filter(([, value]) => value !== undefined),
    ) as ReturnType<typeof helloEntry>;

    const { failed } = await renewOne(server, entry);

    expect(failed).toMatchObject([{ error: { code: "PIN_SOURCE_UNUSABLE" } }]);
    expect(failed[0]?.error.message).toContain(says);
  });
});
