import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";

import { runProgram } from "../../src/provisioner/cli/program.ts";
import { fakeShell } from "../support/fake-shell.ts";
import { makeTarGz } from "../support/make-archive.ts";
import { bat, go, jq, nerdctl } from "../support/releases.ts";
import { startSshServer, type SshServer } from "../support/ssh-server.ts";
import { openToolProject, type Release, type ToolProject } from "../support/tool-project.ts";
import { treeOf } from "../support/tree-of.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const isRoot = process.getuid?.() === 0;

describe.skipIf(!isRoot)("provision apply with tools (skipped unless root)", () => {
  let project: ToolProject;
  let server: SshServer;
  const at = (name: string) => join(project.home, name);
  const prefix = () => at("prefix");

  beforeAll(async () => {
    server = await startSshServer();
    project = await openToolProject();
  });

  afterAll(async () => {
    await project[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  beforeEach(async () => {
    project.intercept = () => false;
    project.requests.length = 0;
    for (const name of ["prefix", "cache", "specs"]) await rm(at(name), { recursive: true, force: true });
    await mkdir(prefix());
  });

  /** Pins these releases, in a spec that wants what `use` says. */
  async function want(
    releases: readonly Release[],
    use = `{names: [${releases.map(({ name }) => name).join(", ")}]}`,
  ) {
    await project.pin(...releases);
    await mkdir(at("specs"), { recursive: true });
    await writeFile(
      at("specs/web.yaml"),
      `base: debian-13\ntasks:\n  - tools: ${use.replace("{", `{prefix: ${prefix()}, `)}\n`,
    );
  }

  async function apply(...more: readonly string[]) {
    const env = { PROVISION_HOME: project.home, PROVISION_CACHE: at("cache") };
    const shell = fakeShell(project.home, env);
    const exitCode = await runProgram(["apply", "--spec", "web", ...server.login, ...more, "--json"], shell);
    const events = shell.out
      .join("")
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { kind: string } & Record<string, unknown>);
    return { exitCode, events, of: (kind: string) => events.filter((event) => event.kind === kind) };
  }

  const says = (command: string) => execFileSync(join(prefix(), "bin", command), { encoding: "utf8" }).trim();
  const cached = async () => (existsSync(at("cache/artifacts")) ? readdir(at("cache/artifacts")) : []);

  it("downloads once, installs, and then finds all as wanted in one flight without asking anybody", async () => {
    await want([bat("1.0"), go("1.0"), jq("1.0"), nerdctl("1.0")]);

    const first = await apply();
    const asked = project.requests.length;
    const second = await apply();

    expect([first.exitCode, first.of("error")]).toEqual([0, []]);
    expect(["bat", "go", "jq", "nerdctl"].map(says)).toEqual(["bat 1.0", "go 1.0", "jq 1.0", "nerdctl 1.0"]);
    expect(first.of("step-started").map(({ title }) => title)).toEqual(
      expect.arrayContaining([expect.stringMatching(/^Download bat-/), expect.stringMatching(/^Check bat-/)]),
    );
    expect([asked, project.requests.length]).toEqual([4, 4]);
    expect(second.of("result")[0]?.["data"]).toMatchObject({ changed: 0, flights: 1 });
  });

  it("says what would change, and downloads nothing for it", async () => {
    await want([bat("1.0")]);

    const checked = await apply("--check");

    expect(checked.exitCode).toBe(3);
    expect(checked.of("use-ended")[0]).toMatchObject({
      outcome: "would-change",
      changes: [{ what: "bat", to: "1.0" }],
    });
    expect([project.requests, treeOf(prefix())]).toEqual([[], []]);
  });

  it("upgrades, heals and removes", async () => {
    await want([bat("1.0"), jq("1.0")]);
    await apply();
    await want([bat("2.0"), jq("1.0")]);

    const upgraded = await apply();
    const upgradedSays = ["bat", "jq"].map(says);
    await truncate(join(prefix(), "bin/bat"), 3);
    const healed = await apply();
    const healedSays = says("bat");
    await want([jq("1.0")], "{absent: [bat, jq]}");
    const removed = await apply();

    expect([upgraded.exitCode, healed.exitCode, removed.exitCode]).toEqual([0, 0, 0]);
    expect([...upgradedSays, healedSays]).toEqual(["bat 2.0", "jq 1.0", "bat 2.0"]);
    expect(upgraded.of("use-ended")[0]?.["changes"]).toMatchObject([{ what: "bat", from: "1.0", to: "2.0" }]);
    expect(treeOf(prefix())).toEqual([]);
    // The second time its archive was in the cache.
    expect(project.requests.filter((name) => name.includes("2.0"))).toHaveLength(1);
  });

  it("lets the machine download by itself with --direct, and keeps nothing here", async () => {
    await want([bat("1.0"), jq("1.0")]);

    const direct = await apply("--direct");

    expect([direct.exitCode, direct.of("error")]).toEqual([0, []]);
    expect(["bat", "jq"].map(says)).toEqual(["bat 1.0", "jq 1.0"]);
    expect(project.requests).toHaveLength(2);
    expect(await cached()).toEqual([]);
  });

  it.each([[[]], [["--direct"]]])(
    "installs nothing of other bytes than the pin's, with %j",
    async (flags) => {
      await want([jq("1.0")]);
      project.files.set(jq("1.0").file, Buffer.from("something else"));

      const failed = await apply(...flags);

      expect(failed.exitCode).toBe(5);
      const { message } = failed.of("error")[0] as unknown as { message: string };
      expect(new Set(message.match(/\b[0-9a-f]{64}\b/g)).size).toBe(2);
      expect(failed.of("use-ended").map(({ outcome }) => outcome)).toEqual(["failed"]);
      expect(existsSync(join(prefix(), "bin/jq"))).toBe(false);
    },
  );

  it("sends no archive that would write elsewhere", async () => {
    const body = makeTarGz([
      { path: "bat", mode: 0o755, body: "#!/bin/sh\n" },
      { path: "../../etc/evil", body: "" },
    ]);
    await want([{ ...bat("1.0"), body, entry: { version: "1.0", repo: "a/b", binary: "bat" } }]);

    const refused = await apply();

    expect(refused.of("error")[0]).toMatchObject({ code: "ARCHIVE_REFUSED" });
    expect(treeOf(prefix())).toEqual([]);
  });

  it("looks into an archive once, not for every machine", async () => {
    await want([bat("1.0")]);
    await apply();
    await rm(prefix(), { recursive: true });

    const other = await apply();

    expect(other.exitCode).toBe(0);
    expect(says("bat")).toBe("bat 1.0");
    expect(other.of("step-started").filter(({ title }) => /^(Check|Download) /.test(String(title)))).toEqual(
      [],
    );
  });

  it("names the line of the spec where a tool is that versions.yaml lacks", async () => {
    await want([bat("1.0")], "{names: [bat, batt]}");

    const refused = await apply();

    expect(refused.exitCode).toBe(2);
    expect(refused.of("error")[0]).toMatchObject({
      code: "SPEC_INVALID",
      message: expect.stringMatching(
        /tools\.names\[1\]: must be a tool of versions.yaml \(nearest: "bat"\), is "batt"/,
      ) as string,
      where: { file: "specs/web.yaml", line: 3 },
    });
  });
});
