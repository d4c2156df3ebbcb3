import { describe, expect, it } from "vitest";

import { tmpfiles } from "../../src/tasks/tmpfiles.ts";
import { emptyMachine } from "../support/fake-host.ts";
import { accepts, settle } from "../support/tasks.ts";

const app = { name: "app", content: "d /run/app 0750 root adm -\n" };

describe("tmpfiles", () => {
  it("applies the lines, then keeps them for the next boot", async () => {
    const host = emptyMachine();
    const given: (string | undefined)[] = [];
    host.program("systemd-tmpfiles", (_argv, _host, { stdin }) => void given.push(stdin));

    await settle(tmpfiles, app, host);

    expect(given).toEqual([app.content]);
    expect(host.journal).toEqual(["run systemd-tmpfiles --create -", "write /etc/tmpfiles.d/app.conf"]);
  });

  it("stores nothing while the lines do not work", async () => {
    const host = emptyMachine();
    host.program("systemd-tmpfiles", () => ({
      code: 65,
      stderr: "<stdin>:1: Failed to resolve group 'adm'.",
    }));

    await expect(settle(tmpfiles, app, host)).rejects.toMatchObject({ code: "ACTION_FAILED" });
    expect(host.files.stat("/etc/tmpfiles.d/app.conf")).toBeUndefined();
  });

  it.each([{ name: "../x" }, { name: "a.b" }, { content: " \n" }, { content: 5 }])("refuses %j", (params) => {
    expect(accepts(tmpfiles, { ...app, ...params })).toBe(false);
  });
});
