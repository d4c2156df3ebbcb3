import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";

import type { ScratchRecord } from "../../src/provisioner/scratch/scratch-record.ts";
import { eventsOf, launch, type LaunchedRun, stepsOf } from "../support/launcher.ts";
import { openMirroredProject } from "../support/mirrored-project.ts";
import { recordedRun } from "../support/recorded-run.ts";
import { openScratchCache, type ScratchCache } from "../support/scratch-cache.ts";
import { endings, toldTrials } from "../support/told-trials.ts";

const shell = promisify(execFile);

let own: ScratchCache;
let folder: string;
const kept = () => own.kept();

beforeAll(async () => {
  own = await openScratchCache();
  ({ folder } = own);
});

afterAll(() => own[Symbol.asyncDispose]());

async function stateOf(record: ScratchRecord | undefined): Promise<string> {
  return (await shell("virsh", ["-c", "qemu:///system", "domstate", record?.name ?? ""])).stdout.trim();
}

function provision(
  args: readonly string[],
  seen?: Parameters<typeof launch>[1] & object,
): Promise<LaunchedRun> {
  return launch(args, { ...seen, env: { PROVISION_CACHE: own.cache, ...seen?.env } });
}

/** How long the machine took to be as it was, in milliseconds each. */
function resets(run: LaunchedRun): readonly number[] {
  const steps = eventsOf(run, "step-started").filter(
    ({ title }) => title === "Make the scratch machine as it was",
  );
  return eventsOf(run, "step-ended").flatMap(({ step, ms }) =>
    steps.some((each) => each.step === step) ? [ms] : [],
  );
}

describe("provision test on a real guest", { shuffle: false }, () => {
  it("makes a scratch machine, proves a task on it, and leaves it switched off", async () => {
    const junit = join(folder, "results/junit.xml");

    const run = await provision(["test", "sysctl", "--junit", junit]);

    expect([run.exitCode, eventsOf(run, "error")]).toEqual([0, []]);
    expect(toldTrials(run)?.trials.map(({ verdicts }) => verdicts.map(({ outcome }) => outcome))).toEqual([
      ["held", "held", "held", "held", "held"],
    ]);
    expect(eventsOf(run, "result")[0]?.text).toMatch(/^sysctl +Route packets .*removed, altered: mended/m);
    expect(await readFile(junit, "utf8")).toContain('<testsuite name="sysctl" tests="5" failures="0"');
    expect(await stateOf(await kept())).toBe("shut off");
  });

  it("names what is wanted and what was got of a use that never settles, and leaves the machine to be looked into", async () => {
    const spec = join(folder, "restless.yaml");
    const tasks = [
      { file: { path: "/etc/motd", content: "hello\n" } },
      { command: { name: "never-content", argv: ["true"], unless: ["test", "-e", "/etc/never"] } },
      { file: { path: "/etc/issue", content: "hello\n" } },
    ];
    await writeFile(spec, stringify({ base: "debian-13", tasks }));

    const run = await provision(["test", "--spec", spec, "--keep"]);

    expect(run.exitCode).toBe(6);
    expect(toldTrials(run)?.broken).toBe(1);
    const broken = toldTrials(run)?.trials[1]?.verdicts.at(-1);
    expect(broken).toMatchObject({ proof: "apply", outcome: "broken" });
    expect(broken?.found).toBe(
      'Cannot settle command never-content: never-content unless must be "0", is "1"',
    );
    expect(eventsOf(run, "result")[0]?.text).toMatch(
      /^restless +file \/etc\/issue .*skipped: the machine is kept/m,
    );
    const line = eventsOf(run, "note").flatMap(({ text }) => /ssh -i .*$/.exec(text) ?? [])[0] ?? "";
    const [ssh = "", ...args] = line.split(" ");
    expect((await shell(ssh, ["-o", "LogLevel=ERROR", ...args, "cat", "/etc/motd"])).stdout).toBe("hello\n");
  });

  it("has the machine back after Ctrl-C", async () => {
    let isStopped = false;

    const stopped = await provision(["test", "sysctl"], {
      seen: (event, pid) => {
        if (event.kind !== "assertion" || event.promise !== "apply" || isStopped) return;
        isStopped = true;
        process.kill(-pid, "SIGINT");
      },
    });

    expect(stopped.exitCode).toBe(130);
    expect(await stateOf(await kept())).toBe("shut off");
  });

  it("makes the same machine as it was in seconds, whatever was done to it", async () => {
    const before = await kept();

    const run = await provision(["test", "directory"]);

    expect([run.exitCode, eventsOf(run, "error")]).toEqual([0, []]);
    expect(stepsOf(run)).not.toContain("Make a scratch machine");
    expect((await kept())?.uuid).toBe(before?.uuid);
    const times = resets(run).map((ms) => `${(ms / 1000).toFixed(1)} s`);
    expect(times).toHaveLength(2);
    process.stdout.write(`the scratch machine was as it was after ${times.join(", ")}\n`);
  });

  it("proves what is downloaded, by a mirror, and on the network that it is reached by", async () => {
    const { run: work } = recordedRun();
    await using mirrored = await openMirroredProject(own.usual, work);

    const run = await provision(["test", "tools", "network"], {
      env: { PROVISION_HOME: mirrored.project.home },
    });

    expect([run.exitCode, eventsOf(run, "error")]).toEqual([0, []]);
    const all = Object.entries(endings(run));
    expect(all).toHaveLength(4);
    expect(all.filter(([, ending]) => ending !== "5 proofs held")).toEqual([]);
    expect(mirrored.project.requests).toEqual(expect.arrayContaining(["go.tar.gz", "neovim.tar.gz"]));
  });
});
