import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { run, write } from "../../src/provisioner/core/task.ts";
import { emptyPlace, localWorker, shells } from "../support/local-worker.ts";
import { sendable } from "../support/sendable.ts";

const done = { kind: "done" };
const asMe = { owner: String(process.getuid?.() ?? 0), group: String(process.getgid?.() ?? 0) };

for (const { name, argv, missing } of shells) {
  describe.skipIf(missing)(`under ${name}${missing ? ` (skipped: ${missing})` : ""}`, () => {
    it("brings any text unchanged to files, arguments, variables and standard input", async () => {
      using place = emptyPlace();
      await using worker = await localWorker(place, { shell: argv });

      await fc.assert(
        fc.asyncProperty(sendable, async (text) => {
          const argument = text.slice(0, 1000);

          const { landings, answers } = await worker.fly({
            orders: [
              { id: "write", action: write(place.at("written"), text, asMe) },
              {
                id: "run",
                action: { kind: "run", command: { argv: ["tee", place.at("teed")], stdin: text } },
              },
              {
                id: "args",
                action: {
                  kind: "run",
                  command: {
                    argv: [
                      "sh",
                      "-c",
                      'printf %s "$1" >"$2"; printf %s "$ODD" >"$3"',
                      "sh",
                      argument,
                      place.at("arg"),
                      place.at("env"),
                    ],
                    env: { ODD: argument },
                  },
                },
              },
            ],
            facts: [
              { kind: "query", about: { argv: ["cat"], stdin: argument } },
              { kind: "query", about: { argv: ["cat", place.at("written")] } },
            ],
          });

          expect(landings).toEqual([done, done, done]);
          expect(readFileSync(place.at("written"), "utf8")).toBe(text);
          expect(readFileSync(place.at("teed"), "utf8")).toBe(text);
          expect(readFileSync(place.at("arg"), "utf8")).toBe(argument);
          expect(readFileSync(place.at("env"), "utf8")).toBe(argument);
          expect(answers).toMatchObject([
            { value: { code: 0, stdout: argument } },
            { value: { code: 0, stdout: text } },
          ]);
        }),
        { numRuns: 12 },
      );
    });

    it("streams output as it comes and keeps its end", async () => {
      using place = emptyPlace();
      await using worker = await localWorker(place, { shell: argv });

      const { landing, output } = await worker.act(
        run("sh", "-c", "echo out; echo \u001b[31merr >&2; exit 7"),
      );

      expect(output).toBe("out\n\u001b[31merr\n");
      expect(landing).toEqual({ kind: "failed", code: 7, tail: "out\nerr" });
    });

    // Busybox's own timeout knows no process group: there the program alone is killed.
    it.skipIf(name === "busybox")("kills what ran out of time, with its children", async () => {
      using place = emptyPlace();
      await using worker = await localWorker(place, { shell: argv });
      const script = `echo begun; sleep 61.5 & echo $! >${place.at("child")}; wait`;

      const { landing } = await worker.act({ ...run("sh", "-c", script), timeoutMs: 300 });

      expect(landing).toMatchObject({ kind: "timed-out", tail: expect.stringContaining("begun") });
      expect(alive(readFileSync(place.at("child"), "utf8").trim())).toBe(false);
    });

    it("takes exit code 124 for a failure, not for a lack of time", async () => {
      using place = emptyPlace();
      await using worker = await localWorker(place, { shell: argv });

      const { landing } = await worker.act(run("sh", "-c", "exit 124"));

      expect(landing).toEqual({ kind: "failed", code: 124, tail: "" });
    });

    it("skips what follows a failure, and reads the facts all the same", async () => {
      using place = emptyPlace();
      await using worker = await localWorker(place, { shell: argv });

      const { landings, answers } = await worker.fly({
        orders: [
          { id: "a", action: run("true") },
          { id: "b", action: { kind: "run", command: { argv: ["sh", "-c", "exit 2"], accept: [0, 2] } } },
          { id: "c", action: run("sh", "-c", "echo no; exit 3") },
          { id: "d", action: run("touch", place.at("never")) },
        ],
        facts: [{ kind: "user", about: "root" }],
      });

      expect(landings).toEqual([done, done, { kind: "failed", code: 3, tail: "no" }, { kind: "skipped" }]);
      expect(existsSync(place.at("never"))).toBe(false);
      expect(answers).toMatchObject([{ value: { uid: 0 } }]);
    });

    it("lets a child that keeps the output open hold up nobody, nor write into facts", async () => {
      using place = emptyPlace();
      await using worker = await localWorker(place, { shell: argv });
      const noisy = "( while :; do echo noise; sleep 0.01; done ) & echo $!";
      let output = "";

      const { landings, answers } = await worker.fly(
        {
          orders: [{ id: "a", action: run("sh", "-c", noisy) }],
          facts: [{ kind: "query", about: { argv: ["sh", "-c", "sleep 0.2; echo clean"] } }],
        },
        (_, text) => (output += text),
      );

      expect(landings).toEqual([done]);
      expect(answers).toMatchObject([{ value: { stdout: "clean\n", stderr: "" } }]);
      execFileSync("sh", ["-c", `kill ${Number.parseInt(output, 10)} 2>/dev/null || true`]);
    });
  });
}

function alive(pid: string): boolean {
  try {
    const state = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1];
    return state !== undefined && !state.startsWith("Z");
  } catch {
    return false;
  }
}
