import process from "node:process";

import { afterAll, beforeAll, expect, it } from "vitest";

import { tasks } from "../../src/tasks/index.ts";
import { eventsOf, launch } from "../support/launcher.ts";
import { type MirroredProject, openMirroredProject } from "../support/mirrored-project.ts";
import { recordedRun } from "../support/recorded-run.ts";
import { openScratchCache, type ScratchCache } from "../support/scratch-cache.ts";
import { endings } from "../support/told-trials.ts";

const HOURS_MS = 7_200_000;

let own: ScratchCache;
let mirrored: MirroredProject;

beforeAll(async () => {
  own = await openScratchCache();
  mirrored = await openMirroredProject(own.usual, recordedRun().run);
});

afterAll(async () => {
  await mirrored[Symbol.asyncDispose]();
  await own[Symbol.asyncDispose]();
});

it(
  "proves every example of every task on a scratch machine, but for what needs another base",
  async () => {
    const run = await launch(["test"], {
      env: { PROVISION_HOME: mirrored.project.home, PROVISION_CACHE: own.cache },
    });

    process.stdout.write(`${eventsOf(run, "result")[0]?.text}\n`);
    const all = Object.entries(endings(run));
    expect([run.exitCode, eventsOf(run, "error")]).toEqual([0, []]);
    expect(all).toHaveLength(tasks.flatMap(({ examples }) => examples).length);
    expect(all.filter(([, ending]) => ending !== "5 proofs held")).toEqual([
      [
        "nvidia-driver: The pinned driver",
        expect.stringMatching(/; it is tried on debian-13-nvidia \(--base\)$/),
      ],
    ]);
  },
  HOURS_MS,
);
