import { access } from "node:fs/promises";
import { join } from "node:path";

import { expect, it } from "vitest";

import { program } from "../../src/provisioner/local/program.ts";
import { recordedRun } from "../support/recorded-run.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

it("gives whole lines, however the output is cut", async () => {
  const lines: string[] = [];
  const script = "printf 'Setting up l'; sleep 0.05; printf 'ess\\nnext\\n'";

  await program(["sh", "-c", script], { run: recordedRun().run, onLine: (line) => lines.push(line) });

  expect(lines).toEqual(["Setting up less", "next"]);
});

it("ends what a program started when the run is stopped", async () => {
  const folder = await scratchFolder();
  const stop = new AbortController();
  // The outer shell waits for its child whatever it is told, as mmdebstrap does.
  const script = `trap : TERM; sh -c 'trap "touch ${folder}/told; exit" TERM; echo up; while :; do sleep 0.05; done' & wait; wait`;

  const ended = program(["sh", "-c", script], {
    run: recordedRun(stop.signal).run,
    family: true,
    onLine: () => stop.abort(new Error("stopped")),
  });

  await expect(ended).rejects.toThrow("stopped");
  await access(join(folder, "told"));
});
