import { describe, expect, it } from "vitest";

import { group } from "../../src/tasks/group.ts";
import { emptyMachine } from "../support/fake-host.ts";
import { accepts, settle } from "../support/tasks.ts";

describe("group", () => {
  it("makes it with its number", async () => {
    const host = emptyMachine();

    await settle(group, { name: "data", gid: 4000, system: true }, host);

    expect(host.journal).toEqual(["run groupadd --system --gid 4000 data"]);
    expect(host.groups.get("data")?.gid).toBe(4000);
  });

  it("corrects a number, and keeps one that is not given", async () => {
    const host = emptyMachine();
    host.groups.set("data", { gid: 5, members: ["a"] });

    await settle(group, { name: "data" }, host);
    await settle(group, { name: "data", gid: 4000 }, host);

    expect(host.journal).toEqual(["run groupmod --gid 4000 data"]);
  });

  it("has nothing to do when gid 0 is wanted and there", async () => {
    expect(await settle(group, { name: "root", gid: 0 }, emptyMachine())).toMatchObject({ changed: 0 });
  });

  it("removes it", async () => {
    const host = emptyMachine();
    host.groups.set("games", { gid: 60, members: [] });

    await settle(group, { name: "games", state: "absent" }, host);

    expect(host.journal).toEqual(["run groupdel games"]);
  });

  it.each(["", "-x", "0", "a b", "a:b", "a\n", "x".repeat(33)])("refuses the name %j", (name) => {
    expect(accepts(group, { name })).toBe(false);
  });
});
