import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { user } from "../../src/tasks/user.ts";
import { emptyMachine } from "../support/fake-host.ts";
import { accepts, planned, refusal, settle } from "../support/tasks.ts";

function machineWithAlice() {
  const host = emptyMachine();
  host.users.set("alice", {
    uid: 1000,
    group: "alice",
    comment: "",
    home: "/home/alice",
    shell: "/bin/sh",
    groups: ["audio"],
    isLocked: false,
  });
  return host;
}

describe("user", () => {
  it("makes one with all that is given, in one go", async () => {
    const host = emptyMachine();

    await settle(
      user,
      {
        name: "alice",
        uid: 1500,
        group: "users",
        groups: ["adm", "sudo"],
        shell: "/bin/bash",
        home: "/srv/alice",
      },
      host,
    );

    expect(host.journal).toEqual([
      "run useradd --uid 1500 --gid users --groups adm,sudo --shell /bin/bash --home-dir /srv/alice --create-home alice",
    ]);
  });

  it("makes no home for a system user", async () => {
    const host = emptyMachine();

    await settle(user, { name: "_svc", system: true }, host);

    expect(host.journal).toEqual(["run useradd --system --no-create-home _svc"]);
  });

  it("keeps what is not given", async () => {
    expect(await settle(user, { name: "alice" }, machineWithAlice())).toMatchObject({ changed: 0 });
  });

  it("shows each difference by itself", async () => {
    const params = { name: "alice", uid: 0, shell: "/bin/bash", comment: "Alice", home: "/srv/alice" };

    expect(await planned(user, params, machineWithAlice())).toEqual([
      ["alice uid", "1000", "0"],
      ["alice shell", "/bin/sh", "/bin/bash"],
      ["alice comment", "", "Alice"],
      ["alice home", "/home/alice", "/srv/alice"],
    ]);
  });

  it("empties a comment", async () => {
    const host = machineWithAlice();
    await settle(user, { name: "alice", comment: "x" }, host);

    await settle(user, { name: "alice", comment: "" }, host);

    expect(host.users.get("alice")?.comment).toBe("");
  });

  it("adds groups to those there are, and leaves the others only when that is said", async () => {
    const host = machineWithAlice();

    await settle(user, { name: "alice", groups: ["sudo", "adm"] }, host);
    expect(host.users.get("alice")?.groups).toEqual(["adm", "audio", "sudo"]);

    await settle(user, { name: "alice", groups: ["adm"], onlyGroups: true }, host);
    expect(host.users.get("alice")?.groups).toEqual(["adm"]);

    await settle(user, { name: "alice", groups: [], onlyGroups: true }, host);
    expect(host.users.get("alice")?.groups).toEqual([]);
  });

  it("locks a password that is open", async () => {
    const host = machineWithAlice();

    await settle(user, { name: "alice", password: "locked" }, host);

    expect(host.journal).toEqual(["run usermod --lock alice"]);
  });

  it("removes one with the home when that is said", async () => {
    const host = machineWithAlice();

    await settle(user, { name: "alice", state: "absent", removeHome: true }, host);

    expect(host.journal).toEqual(["run userdel --remove alice"]);
  });

  it("never removes root", async () => {
    await expect(settle(user, { name: "root", state: "absent" }, emptyMachine())).rejects.toMatchObject(
      refusal(/"root" must stay/),
    );
  });

  it.each([
    { name: "a:b" },
    { name: "-r" },
    { name: "alice", uid: -1 },
    { name: "alice", uid: "0" },
    { name: "alice", shell: "bash" },
    { name: "alice", comment: "a:b" },
    { name: "alice", comment: "a\nb" },
    { name: "alice", groups: "adm" },
    { name: "alice", groups: ["adm", "adm"] },
    { name: "alice", groups: ["a,b"] },
    { name: "alice", password: "hunter2" },
  ])("refuses %j", (params) => {
    expect(accepts(user, params)).toBe(false);
  });

  it("settles once whatever the comment", async () => {
    const comment = fc
      .string({ unit: "grapheme" })
      .filter((text) => accepts(user, { name: "alice", comment: text }));
    await fc.assert(
      fc.asyncProperty(comment, async (text) => {
        const host = machineWithAlice();
        await settle(user, { name: "alice", comment: text }, host);

        expect(await settle(user, { name: "alice", comment: text }, host)).toMatchObject({ changed: 0 });
        expect(host.users.get("alice")?.comment).toBe(text);
      }),
      { numRuns: 30 },
    );
  });
});

describe("what no image may hold", () => {
  it.each([
    [{ name: "alice" }, true],
    [{ name: "alice", uid: 1000 }, true],
    [{ name: "alice", uid: 1000, system: true }, true],
    [{ name: "_exporter", system: true }, false],
    [{ name: "_exporter", uid: 450 }, false],
    [{ name: "root", shell: "/bin/bash" }, false],
    [{ name: "alice", state: "absent" as const }, false],
  ])("%j: %s", (params, isPersonal) => {
    expect(user.identity?.(params) !== undefined).toBe(isPersonal);
  });
});
