import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { command } from "../../src/tasks/command.ts";
import { emptyMachine } from "../support/fake-host.ts";
import { complaints, planned, settle } from "../support/tasks.ts";

const make = { name: "make", argv: ["make-it", "now"], creates: "/srv/made" };
const build = { name: "build", argv: ["build-it"], inputs: ["/etc/a", "/etc/b"] };

describe("command", () => {
  it("runs while nothing is at the path it creates", async () => {
    const host = emptyMachine();
    host.program("make-it", () => host.files.write("/srv/made", ""));

    await settle(command, make, host);
    await settle(command, make, host);

    expect(host.journal).toEqual(["run make-it now"]);
  });

  it("is not settled when it does not create what it said", async () => {
    const host = emptyMachine();
    host.program("make-it", () => 0);

    await expect(settle(command, make, host)).rejects.toMatchObject({
      code: "TASK_NOT_SETTLED",
      facts: { what: "make creates", wanted: '"/srv/made"', got: "absent" },
    });
  });

  it("runs unless its look exits 0", async () => {
    const host = emptyMachine();
    let isDone = false;
    host.program("look", () => (isDone ? 0 : 3));
    host.program("do-it", () => void (isDone = true));

    await settle(command, { name: "x", argv: ["do-it"], unless: ["look"] }, host);
    await settle(command, { name: "x", argv: ["do-it"], unless: ["look"] }, host);

    expect(host.journal).toEqual(["run do-it"]);
  });

  it("does not take a missing look for a no", async () => {
    const settling = settle(command, { name: "x", argv: ["do-it"], unless: ["no-such"] }, emptyMachine());

    await expect(settling).rejects.toMatchObject({ code: "FACT_UNKNOWN" });
  });

  it("runs again when an input changes, comes or goes, or when it is another command", async () => {
    const host = emptyMachine();
    let runs = 0;
    host.program("build-it", () => void (runs += 1));
    const counts: number[] = [];
    const settleAndCount = async (params: typeof build) => {
      await settle(command, params, host);
      counts.push(runs);
    };

    await settleAndCount(build);
    await settleAndCount(build);
    host.files.write("/etc/a", "");
    await settleAndCount(build);
    host.files.write("/etc/a", "0");
    await settleAndCount(build);
    host.files.remove("/etc/a");
    await settleAndCount(build);
    await settleAndCount({ ...build, argv: ["build-it", "-v"] });
    await settleAndCount({ ...build, argv: ["build-it", "-v"] });

    expect(counts).toEqual([1, 1, 2, 3, 4, 5, 5]);
  });

  it("keeps no stamp of a run that failed", async () => {
    const host = emptyMachine();
    host.program("build-it", () => ({ code: 1, stderr: "no" }));

    await expect(settle(command, build, host)).rejects.toMatchObject({ code: "ACTION_FAILED" });

    expect(await planned(command, build, host)).toMatchObject([
      ["build inputs", undefined, expect.any(String)],
    ]);
  });

  it("runs where and with what it is told", () => {
    const params = { ...make, directory: "/srv", environment: { A: "" }, timeoutSeconds: 5, detached: true };

    const [change] = command.plan(params, { isMade: false, exit: undefined, stamp: undefined, seen: "" });

    expect(change?.actions).toEqual([
      {
        kind: "run",
        command: { argv: ["env", "-C", "/srv", "make-it", "now"], env: { A: "" } },
        detached: true,
        timeoutMs: 5000,
      },
    ]);
  });

  it("hands every argument over as it is", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.string(), fc.constantFrom("", "-n", "ß€😀", "a\nb")), { maxLength: 4 }),
        async (words) => {
          const host = emptyMachine();
          let got: readonly string[] = [];
          host.program("make-it", (argv) => {
            got = argv;
            host.files.write("/srv/made", "");
          });

          await settle(command, { ...make, argv: ["make-it", ...words] }, host);

          expect(got).toEqual(["make-it", ...words]);
        },
      ),
      { numRuns: 30 },
    );
  });

  it.each([
    [{ name: "x", argv: ["a"] }, /must have "creates", "unless" or "inputs"/],
    [{ ...make, argv: [] }, /argv/],
    [{ ...make, argv: "make it" }, /argv/],
    [{ ...make, name: "Make it" }, /name/],
    [{ ...build, inputs: [] }, /inputs/],
    [{ ...make, environment: { A: 1 } }, /environment/],
  ])("refuses %j", (params, reason) => {
    expect(complaints(command, params).join("\n")).toMatch(reason);
  });
});

describe("what no image may hold", () => {
  it.each([
    [["useradd", "alice"], "a user (one for a service is made with --system)"],
    [["/usr/sbin/adduser", "alice"], "a user (one for a service is made with --system)"],
    [["hostnamectl", "set-hostname", "web1"], "a host name"],
    [["ssh-keygen", "-A"], "an SSH key"],
    [["loginctl", "enable-linger", "alice"], "a user whose services linger"],
    [["useradd", "--system", "_exporter"], undefined],
    [["adduser", "-r", "_exporter"], undefined],
    [["loginctl", "list-users"], undefined],
    [["newaliases"], undefined],
  ])("%j brings %s", (argv, brought) => {
    expect(command.identity?.({ name: "x", argv, creates: "/x" })).toBe(brought);
  });
});
