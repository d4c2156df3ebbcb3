import { describe, expect, it } from "vitest";

import {
  endingOf,
  forEachHost,
  outcomesAsData,
  outcomesInWords,
} from "../../../src/provisioner/cli/hosts/for-each-host.ts";
import { readWidth } from "../../../src/provisioner/cli/hosts/width.ts";
import { ProvisionError } from "../../../src/provisioner/core/errors.ts";
import { quietRun } from "../../support/quiet-run.ts";

const hosts = ["a", "b", "c", "d"].map((name) => ({ name, uri: "fake:///system" }));
const lost = (host: string) => new ProvisionError("HOST_LOST", { host, reason: "why" });
const misused = new ProvisionError("USAGE", { what: "Cannot x", mend: "Do y" });

describe("forEachHost", () => {
  it("goes on with the others when some fail, tells each failure, and ends with the number of the first", async () => {
    const run = quietRun();

    const outcomes = await forEachHost(
      hosts,
      async ({ name }) => {
        // The later one fails first.
        if (name === "b") await new Promise((resolve) => setTimeout(resolve, 20));
        if (name === "b") throw lost(name);
        if (name === "c") throw misused;
        return `${name} done`;
      },
      { run, words: (done) => done },
    );

    expect(endingOf(outcomes)).toEqual({ exitCode: 4 });
    expect(outcomesInWords(outcomes, (done) => done).split("\n")).toEqual([
      "NAME  OUTCOME",
      "a     a done",
      "b     failed: HOST_LOST",
      "c     failed: USAGE",
      "d     d done",
    ]);
    expect(outcomesAsData(outcomes, (outcome) => ({ outcome }))).toMatchObject([
      { name: "a", hypervisor: "fake:///system", outcome: "a done" },
      { name: "b", outcome: "failed", error: { code: "HOST_LOST" } },
      { name: "c", error: { code: "USAGE", message: "Cannot x", mend: "Do y" } },
      { name: "d", outcome: "d done" },
    ]);
    const errors = run.events.filter(({ kind }) => kind === "error");
    expect(errors).toMatchObject([
      { code: "USAGE", where: "c" },
      { code: "HOST_LOST", where: "b" },
    ]);
    const steps = run.events.flatMap((event) => (event.kind === "step-started" ? [event.title] : []));
    expect(steps.toSorted()).toEqual(["a", "b", "c", "d"]);
  });

  it("lets the error of a single one through", async () => {
    const run = quietRun();

    const work = forEachHost(hosts.slice(0, 1), () => Promise.reject(lost("a")), { run });

    await expect(work).rejects.toMatchObject({ code: "HOST_LOST" });
    expect(run.events.some(({ kind }) => kind === "error")).toBe(false);
  });

  it("says one line of a single one, with all there is to say", async () => {
    const outcomes = await forEachHost(hosts.slice(0, 1), async () => "done", { run: quietRun() });

    const text = outcomesInWords(outcomes, (done) => done, { headings: ["DISKS"], cells: () => ["two"] });

    expect([text, endingOf(outcomes)]).toEqual(["a: done, two", "as-wanted"]);
  });

  it("works on so many at one time and no more", async () => {
    let [open, most] = [0, 0];

    await forEachHost(
      hosts,
      async () => {
        open += 1;
        most = Math.max(most, open);
        await new Promise((resolve) => setTimeout(resolve, 5));
        open -= 1;
      },
      { run: quietRun(), width: 2 },
    );

    expect(most).toBe(2);
  });

  it("begins no more when it is stopped, waits for those that are at work, and rejects", async () => {
    const stop = new AbortController();
    const run = quietRun(stop.signal);
    const begun: string[] = [];
    const ended: string[] = [];

    const work = forEachHost(
      hosts,
      async ({ name }) => {
        begun.push(name);
        stop.abort();
        await new Promise((resolve) => setTimeout(resolve, 10));
        ended.push(name);
        throw new Error("cut");
      },
      { run, width: 1 },
    );

    await expect(work).rejects.toMatchObject({ name: "AbortError" });
    expect([begun, ended]).toEqual([["a"], ["a"]]);
    expect(run.events.some(({ kind }) => kind === "error")).toBe(false);
  });
});

describe("readWidth", () => {
  it("is a number from 1 to 64", () => {
    expect([readWidth(), readWidth("1"), readWidth("64")]).toEqual([4, 1, 64]);
  });

  it.each(["0", "65", "many", "-1", "1.5", ""])("is not %o", (text) => {
    expect(() => readWidth(text)).toThrow("Cannot accept --parallel");
  });
});
