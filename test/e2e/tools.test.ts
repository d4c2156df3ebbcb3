import { mkdir, readFile, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";

import { baseSettings } from "../../src/provisioner/image/base-settings.ts";
import type { Manifest } from "../../src/provisioner/pins/manifest.ts";
import { eventsOf, launch, type LaunchedRun } from "../support/launcher.ts";
import { makeTarGz } from "../support/make-archive.ts";
import { go, jq, nerdctl } from "../support/releases.ts";
import { startSystemdHost, type SystemdHost, whyNoSystemdHost } from "../support/systemd-host.ts";
import { systemdRoot } from "../support/systemd-root.ts";
import { openToolProject, type Release, type ToolProject } from "../support/tool-project.ts";

// One host: what is done to it is done in this order. On a guest with a kernel of its own: full-image.test.ts.
const shipped = join(import.meta.dirname, "../..");
const why = whyNoSystemdHost();
const { cacheDir } = baseSettings({ env: process.env, home: homedir(), isRoot: true });

let host: SystemdHost;
let project: ToolProject;

async function apply(spec: string, ...more: readonly string[]): Promise<LaunchedRun> {
  return launch(["apply", "--spec", spec, ...host.login, ...more], {
    env: { PROVISION_HOME: project.home, PROVISION_CACHE: join(project.home, "cache") },
  });
}

/** Writes a spec of one use. */
async function want(params: object): Promise<void> {
  await mkdir(join(project.home, "specs"), { recursive: true });
  await writeFile(
    join(project.home, "specs/web.yaml"),
    stringify({ base: "debian-13", tasks: [{ tools: params }] }),
  );
}

const outcome = (done: LaunchedRun) => [done.exitCode, eventsOf(done, "error")];
const summary = (done: LaunchedRun) => eventsOf(done, "result")[0]?.data;
const listing = "find /usr/local -printf '%p %y %m %u %g %l\\n' | sort";

/** A release of a tool of the shipped versions.yaml: its entry as it stands there, with files of our own. */
function shippedRelease(name: string, { tools = {} }: Manifest): Release {
  const entry = tools[name];
  if (!entry) throw new Error(`versions.yaml has no ${name}`);
  const { version, system } = entry;
  const program = `#!/bin/sh\necho ${name} ${version}\n`;
  const body = makeTarGz([{ path: name, mode: 0o755, body: program }]);
  return { name, file: `${name}.tar.gz`, body, entry: { version, binary: name, ...(system && { system }) } };
}

describe.skipIf(why !== undefined)(
  `provision apply of tools${why ? ` (skipped: ${why})` : ""}`,
  { shuffle: false },
  () => {
    beforeAll(async () => {
      host = await startSystemdHost(await systemdRoot(cacheDir));
      project = await openToolProject();
    });

    afterAll(async () => {
      await project[Symbol.asyncDispose]();
      await host[Symbol.asyncDispose]();
    });

    let before: string;

    it("installs tools that run for every user, and finds them as wanted in one flight", async () => {
      before = await host.sh(listing);
      await project.pin(go("1.0"), jq("1.0"), nerdctl("1.0"));
      await want({ names: ["go", "jq", "nerdctl"] });

      const first = await apply("web");
      const second = await apply("web");

      expect(outcome(first)).toEqual([0, []]);
      expect(await host.sh("su nobody -s /bin/sh -c 'go; jq; nerdctl'")).toBe("go 1.0\njq 1.0\nnerdctl 1.0");
      expect([outcome(second), summary(second)]).toEqual([
        [0, []],
        expect.objectContaining({ changed: 0, flights: 1 }),
      ]);
    });

    it("upgrades one of them and leaves the others alone", async () => {
      await project.pin(go("2.0"), jq("1.0"), nerdctl("1.0"));

      const upgraded = await apply("web");

      expect(outcome(upgraded)).toEqual([0, []]);
      expect(eventsOf(upgraded, "use-ended")[0]?.changes).toMatchObject([
        { what: "go", from: "1.0", to: "2.0" },
      ]);
      expect(await host.sh("go; jq")).toBe("go 2.0\njq 1.0");
    });

    it("heals what somebody broke by hand", async () => {
      await host.sh("rm /usr/local/bin/jq; : > /usr/local/share/provision/store/go/current/go/bin/go");

      const healed = await apply("web");

      expect(outcome(healed)).toEqual([0, []]);
      expect(eventsOf(healed, "use-ended")[0]?.changes.map(({ what }) => what)).toEqual(["go", "jq"]);
      expect(await host.sh("go; jq")).toBe("go 2.0\njq 1.0");
    });

    it("lets the host download by itself with --direct", async () => {
      await project.pin(jq("2.0"));
      await want({ names: ["jq"] });
      const asked = project.requests.length;

      const direct = await apply("web", "--direct");

      expect(outcome(direct)).toEqual([0, []]);
      expect(await host.sh("jq")).toBe("jq 2.0");
      expect(project.requests.slice(asked)).toEqual([jq("2.0").file]);
    });

    it("removes them, and /usr/local is as it was", async () => {
      await want({ absent: ["go", "jq", "nerdctl"] });

      const removed = await apply("web");

      expect(outcome(removed)).toEqual([0, []]);
      expect(await host.sh(listing)).toBe(before);
    });

    it("settles the tools of the shipped profile, with files of our own", async () => {
      const spec = parse(await readFile(join(shipped, "specs/tools.yaml"), "utf8")) as {
        tasks: { tools?: { names: string[] } }[];
      };
      const manifest = parse(await readFile(join(shipped, "versions.yaml"), "utf8")) as Manifest;
      const names = spec.tasks.flatMap(({ tools }) => tools?.names ?? []);
      await project.pin(...names.map((name) => shippedRelease(name, manifest)));
      const uses = spec.tasks.filter(({ tools }) => tools);
      await writeFile(
        join(project.home, "specs/shipped.yaml"),
        stringify({ base: "debian-13", tasks: uses }),
      );

      const first = await apply("shipped");
      const second = await apply("shipped");

      expect(names).toEqual(expect.arrayContaining(["go", "rust", "neovim", "fzf", "ripgrep"]));
      expect(outcome(first)).toEqual([0, []]);
      expect((await host.sh(names.join("; "))).split("\n")).toEqual(
        names.map((name) => `${name} ${manifest.tools?.[name]?.version}`),
      );
      expect(summary(second)).toMatchObject({ changed: 0, flights: 1, uses: uses.length });
      expect(await host.sh("systemctl list-units --failed --plain --no-legend")).toBe("");
    });
  },
);
