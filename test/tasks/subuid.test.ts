import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { readSetting, withSetting } from "../../src/tasks/subuid/login-defs.ts";
import { readRanges } from "../../src/tasks/subuid/ranges.ts";
import { subuid } from "../../src/tasks/subuid/index.ts";
import { emptyMachine, type FakeHost } from "../support/fake-host.ts";
import { complaints, planned, refusal, settle } from "../support/tasks.ts";

const alice = { user: "alice", start: 200_000, count: 65_536 };

/** A machine with these lines in both files. */
function machineWith(lines: string, settings?: string): FakeHost {
  const host = emptyMachine();
  host.files.write("/etc/subuid", lines);
  host.files.write("/etc/subgid", lines);
  if (settings !== undefined) host.files.write("/etc/login.defs", settings);
  return host;
}

const both = (host: FakeHost) => [host.files.read("/etc/subuid"), host.files.read("/etc/subgid")];

describe("subuid of a user", () => {
  it("makes the files where there are none", async () => {
    const host = emptyMachine();

    await settle(subuid, alice, host);

    expect(both(host)).toEqual(["alice:200000:65536\n", "alice:200000:65536\n"]);
    expect(host.journal).toEqual(["write /etc/subuid", "write /etc/subgid"]);
  });

  it("keeps every line that is not the user's, whatever it is", async () => {
    const host = machineWith("# by hand\nbob:100000:65536\nnonsense\nalice:300000:10\n\ncarol:400000:1");

    await settle(subuid, alice, host);

    expect(both(host)[0]).toBe(
      "# by hand\nbob:100000:65536\nnonsense\nalice:200000:65536\n\ncarol:400000:1\n",
    );
  });

  it("takes a line with the user's number for the user's own, and leaves one range", async () => {
    const host = machineWith("1000:200000:65536\nalice:500000:1\n");
    const entry = { group: "alice", comment: "", home: "/home/alice", shell: "/bin/sh", groups: [] };
    host.users.set("alice", { ...entry, uid: 1000, isLocked: true });

    expect((await planned(subuid, alice, host))[0]).toEqual([
      "/etc/subuid alice",
      "1000:200000:65536, alice:500000:1",
      "alice:200000:65536",
    ]);
    await settle(subuid, alice, host);

    expect(both(host)[0]).toBe("alice:200000:65536\n");
  });

  it.each([
    ["the first of an empty machine", "", undefined, 100_000],
    ["the user's own, kept", "alice:700000:5\n", undefined, 700_000],
    ["behind a neighbour", "bob:100000:65536\n", undefined, 165_536],
    ["in a gap that is wide enough", "bob:300000:9\ncarol:90000:20000\n", undefined, 110_000],
    ["behind gaps that are too narrow", "bob:100001:1\ncarol:165000:600\n", undefined, 165_600],
    ["where login.defs begins", "", "SUB_UID_MIN 2000000\n", 2_000_000],
  ])("gives a range that is free: %s", async (_title, lines, settings, start) => {
    const host = machineWith(lines, settings);

    await settle(subuid, { user: "alice" }, host);

    expect(readRanges(both(host)[0] ?? "").find(({ owner }) => owner === "alice")).toEqual({
      owner: "alice",
      start,
      count: 65_536,
    });
  });

  it("looks for one that is free in both files", async () => {
    const host = machineWith("bob:100000:65536\n");
    host.files.write("/etc/subgid", "bob:165536:65536\n");

    await settle(subuid, { user: "alice" }, host);

    expect(both(host)).toEqual([
      "bob:100000:65536\nalice:231072:65536\n",
      "bob:165536:65536\nalice:231072:65536\n",
    ]);
  });

  it.each([
    ["bob:200000:65536", "the same"],
    ["bob:134465:65536", "by its first number"],
    ["bob:265535:1", "by its last number"],
    ["bob:100000:900000", "around it"],
  ])("refuses a range that overlaps %s and names both lines: %s", async (line) => {
    const host = machineWith(`carol:90000:5\n${line}\n`);

    await expect(settle(subuid, alice, host)).rejects.toMatchObject(
      refusal(
        new RegExp(`"alice:200000:65536" must have numbers of its own in /etc/subuid, overlaps "${line}"`),
      ),
    );
    expect(host.journal).toEqual([]);
  });

  it("takes the range right beside another", async () => {
    const host = machineWith("bob:134464:65536\ncarol:265536:1\n");

    expect(await settle(subuid, alice, host)).toMatchObject({ changed: 1 });
  });

  it("refuses an overlap in /etc/subgid alone", async () => {
    const host = machineWith("");
    host.files.write("/etc/subgid", "bob:200000:1\n");

    await expect(settle(subuid, alice, host)).rejects.toMatchObject(
      refusal(/in \/etc\/subgid, overlaps "bob:200000:1"/),
    );
  });

  it("refuses to end behind the last number there is", async () => {
    const params = { user: "alice", start: 4_294_967_294, count: 2 };

    await expect(settle(subuid, params, emptyMachine())).rejects.toMatchObject(
      refusal(/must end at 4294967294, ends at 4294967295/),
    );
  });

  it("says when nothing is free", async () => {
    const host = machineWith("bob:100000:65536\n", "SUB_UID_MAX 170000\n");

    await expect(settle(subuid, { user: "alice" }, host)).rejects.toMatchObject(
      refusal(/65536 numbers between 100000 and 170000 must be free/),
    );
  });

  it("stops when somebody else changed the file after it was read", async () => {
    const host = machineWith("");
    host.beforeFlight(2, () => host.files.write("/etc/subuid", "bob:200000:65536\n"));

    await expect(settle(subuid, alice, host)).rejects.toMatchObject({ code: "CHANGED_UNDERNEATH" });
    expect(both(host)[0]).toBe("bob:200000:65536\n");
  });

  it("never gives two users one number, whatever was there", async () => {
    const number = fc.integer({ min: 90_000, max: 900_000 });
    const lines = fc.array(fc.tuple(number, fc.integer({ min: 1, max: 80_000 })), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(lines, fc.integer({ min: 1, max: 70_000 }), async (ranges, count) => {
        const host = machineWith(ranges.map(([start, size], at) => `u${at}:${start}:${size}\n`).join(""));
        await settle(subuid, { user: "alice", count }, host);

        const found = readRanges(both(host)[0] ?? "");
        const [mine] = found.filter(({ owner }) => owner === "alice");
        const others = found.filter(({ owner }) => owner !== "alice");
        expect(mine?.count).toBe(count);
        expect(others).toHaveLength(ranges.length);
        for (const { start, count: size } of others) {
          expect(start + size <= (mine?.start ?? 0) || (mine?.start ?? 0) + count <= start).toBe(true);
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe("subuid for users that come later", () => {
  const template = { newUsers: { count: 65_536, min: 100_000, max: 600_100_000 } };
  const debian =
    "# login.defs\nUMASK\t\t022\nSUB_UID_MIN\t\t   100000\nSUB_UID_MAX\t\t600100000\nSUB_UID_COUNT\t\t    1000\n" +
    "SUB_GID_MIN\t\t   100000\n#SUB_GID_MAX\t\t600100000\nSUB_GID_COUNT\t\t    65536\nENCRYPT_METHOD YESCRYPT\n";

  it("changes the lines that differ, and no other", async () => {
    const host = machineWith("", debian);

    await settle(subuid, template, host);

    expect(host.files.read("/etc/login.defs")).toBe(
      debian
        .replace("SUB_UID_COUNT\t\t    1000", "SUB_UID_COUNT 65536")
        .replace("#SUB_GID_MAX\t\t600100000\n", "#SUB_GID_MAX\t\t600100000\nSUB_GID_MAX 600100000\n"),
    );
    expect(host.journal).toEqual(["write /etc/login.defs"]);
  });

  it("leaves limits alone that are not given", async () => {
    const host = machineWith("", "SUB_UID_MIN 300000\n");

    await settle(subuid, { newUsers: { count: 10 } }, host);

    expect(host.files.read("/etc/login.defs")).toBe(
      "SUB_UID_MIN 300000\nSUB_UID_COUNT 10\nSUB_GID_COUNT 10\n",
    );
  });

  it("makes the files without which useradd gives nothing, and keeps what they hold", async () => {
    const host = emptyMachine();
    host.files.write("/etc/subgid", "bob:100000:65536\n");

    await settle(subuid, template, host);

    expect(both(host)).toEqual(["", "bob:100000:65536\n"]);
  });

  it.each([
    [{ count: 10, min: 100_000, max: 100_008 }, "", /SUB_UID_MIN 100000 and SUB_UID_MAX 100008/],
    [{ count: 10, min: 600_100_000 }, "SUB_UID_MAX 600100001\n", /SUB_UID_MAX 600100001/],
    [{ count: 10 }, "SUB_UID_MAX 100000\n", /SUB_UID_MIN 100000 and SUB_UID_MAX 100000/],
    [{ count: 10 }, "SUB_GID_MIN 700000000\n", /SUB_GID_MIN 700000000/],
  ])("refuses %j beside %j: no range fits", async (newUsers, settings, reason) => {
    await expect(settle(subuid, { newUsers }, machineWith("", settings))).rejects.toMatchObject(
      refusal(reason),
    );
  });
});

describe("login.defs", () => {
  it.each([
    ["", undefined],
    ["A 1\nA 2\n", 2],
    ["  A\t0x10\n", 16],
    ["#A 1\n", undefined],
    ["AB 1\n", undefined],
    ["A many\n", undefined],
  ])("reads of %j the number %j", (text, value) => {
    expect(readSetting(text, "A")).toBe(value);
  });

  it.each([
    ["", "A 5\n"],
    ["B 1", "B 1\nA 5\n"],
    ["A 1\nA 2\nB 1\n", "A 1\nA 5\nB 1\n"],
    ["# A 1\nB 1\n", "# A 1\nA 5\nB 1\n"],
    ["A 0x5\n", "A 0x5\n"],
    ["A many\n", "A 5\n"],
  ])("writes into %j so that it is %j", (before, after) => {
    expect(withSetting(before, "A", 5)).toBe(after);
  });
});

it.each([
  [{}, /"user" or "newUsers"/],
  [{ user: "alice", newUsers: { count: 1 } }, /only one of/],
  [{ newUsers: { count: 1 }, start: 100_000 }, /"user" beside "start"/],
  [{ user: "alice", start: 65_535 }, /start/],
  [{ user: "alice", start: "200000" }, /start/],
  [{ user: "alice", count: 0 }, /count/],
  [{ user: "1000" }, /user/],
  [{ user: "a:b" }, /user/],
  [{ newUsers: {} }, /count/],
  [{ newUsers: { count: 1, least: 5 } }, /least/],
])("subuid refuses %j", (params, reason) => {
  expect(complaints(subuid, params).join("\n")).toMatch(reason);
});
