import { describe, expect, it } from "vitest";

import { timezone } from "../../src/tasks/timezone.ts";
import { emptyMachine } from "../support/fake-host.ts";
import { accepts, settle } from "../support/tasks.ts";

describe("timezone", () => {
  it("sets the link and the name", async () => {
    const host = emptyMachine();

    await settle(timezone, { name: "Europe/Berlin" }, host);

    expect(host.files.stat("/etc/localtime")?.target).toBe("/usr/share/zoneinfo/Europe/Berlin");
    expect(host.files.read("/etc/timezone")).toBe("Europe/Berlin\n");
  });

  it("takes timedatectl's relative link for the same", async () => {
    const host = emptyMachine();
    host.files.symlink("/etc/localtime", "../usr/share/zoneinfo/Etc/UTC");
    host.files.write("/etc/timezone", "Etc/UTC\n");

    expect(await settle(timezone, { name: "Etc/UTC" }, host)).toMatchObject({ changed: 0 });
  });

  it("changes nothing when there is no such zone", async () => {
    const host = emptyMachine();
    host.program("ls", () => ({ code: 2, stderr: "ls: cannot access '/usr/share/zoneinfo/Mars/Base'" }));

    await expect(settle(timezone, { name: "Mars/Base" }, host)).rejects.toMatchObject({
      code: "ACTION_FAILED",
    });
    expect(host.files.stat("/etc/localtime")).toBeUndefined();
    expect(host.files.stat("/etc/timezone")).toBeUndefined();
  });

  it.each(["", "../x", "Europe/", "Europe//Berlin", "/Etc/UTC", "Etc/UTC\n"])("refuses %j", (name) => {
    expect(accepts(timezone, { name })).toBe(false);
  });
});
