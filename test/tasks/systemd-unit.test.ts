import { describe, expect, it } from "vitest";

import { systemdUnit } from "../../src/tasks/systemd-unit/index.ts";
import { emptyMachine } from "../support/fake-host.ts";
import { complaints, planned, refusal, settle } from "../support/tasks.ts";

const unit = "app.service";
const path = "/etc/systemd/system/app.service";
const stamp = "/var/lib/provision/stamps/app.service";
const own = {
  unit,
  content: "[Service]\nExecStart=/usr/bin/app\n",
  enabled: true,
  state: "running",
} as const;
const packaged = { unit: "ssh.service", state: "running" as const, restartOn: ["/etc/ssh.conf"] };

function journalOf(host: ReturnType<typeof emptyMachine>): readonly string[] {
  return host.journal.splice(0);
}

const stopped = { load: "loaded", active: "inactive", enabled: "disabled", needsReload: false };

describe("systemd-unit", () => {
  it("writes, reloads, enables, starts and remembers, in this order", async () => {
    const host = emptyMachine();

    await settle(systemdUnit, own, host);

    expect(host.journal).toEqual([
      `write ${path}`,
      "run systemctl daemon-reload",
      `run systemctl enable ${unit}`,
      `run provision-systemctl start ${unit}`,
      "directory /var/lib/provision/stamps",
      `write ${stamp}`,
    ]);
  });

  it("restarts what runs when its own text changes, even where a change means a reload", async () => {
    const host = emptyMachine();
    await settle(systemdUnit, own, host);
    journalOf(host);

    await settle(systemdUnit, { ...own, content: `${own.content}User=app\n`, onChange: "reload" }, host);

    expect(host.journal).toContain(`run provision-systemctl restart ${unit}`);
  });

  it("restarts when a file it reads changed since the last start, and only then", async () => {
    const host = emptyMachine();
    host.units.install("ssh.service", { active: "active" });
    host.files.write("/etc/ssh.conf", "one");

    await settle(systemdUnit, packaged, host);
    expect(journalOf(host)).toContain("run provision-systemctl restart ssh.service");

    await settle(systemdUnit, packaged, host);
    expect(journalOf(host)).toEqual([]);

    host.files.write("/etc/ssh.conf", "two");
    await settle(systemdUnit, { ...packaged, onChange: "reload" }, host);
    expect(journalOf(host)).toContain("run provision-systemctl reload ssh.service");
  });

  it("still owes the restart after a run that died before it", async () => {
    const host = emptyMachine();
    host.units.install("ssh.service", { active: "active" });
    await settle(systemdUnit, packaged, host);
    host.files.write("/etc/ssh.conf", "new");
    host.loseAt(host.flights + 2, 0);
    host.staysAway = true;
    await expect(settle(systemdUnit, packaged, host)).rejects.toMatchObject({ code: "HOST_LOST" });
    journalOf(host);

    await settle(systemdUnit, packaged, host);

    expect(host.journal).toContain("run provision-systemctl restart ssh.service");
  });

  it("owes a restart again when it failed", async () => {
    const host = emptyMachine();
    host.units.install("ssh.service", { active: "active" });
    host.program("provision-systemctl", () => ({ code: 1, stderr: "ssh.conf: line 1: bad" }));

    await expect(settle(systemdUnit, packaged, host)).rejects.toMatchObject({
      code: "ACTION_FAILED",
      facts: { tail: "ssh.conf: line 1: bad" },
    });
    expect(await planned(systemdUnit, packaged, host)).toHaveLength(1);
  });

  it("starts what does not run, and forgives an earlier failure first", async () => {
    const host = emptyMachine();
    host.units.install("ssh.service", { active: "failed" });

    await settle(systemdUnit, { unit: "ssh.service", state: "running" }, host);

    expect(host.journal).toEqual([
      "run systemctl reset-failed ssh.service",
      "run provision-systemctl start ssh.service",
    ]);
  });

  it("is not settled when the unit does not stay up", async () => {
    const host = emptyMachine();
    host.program("provision-systemctl", () => 0);

    await expect(settle(systemdUnit, { unit: "ssh.service", state: "running" }, host)).rejects.toMatchObject({
      code: "TASK_NOT_SETTLED",
      facts: { wanted: '"active"', got: '"inactive"' },
    });
  });

  it("runs a oneshot once, again when its text changes, and again when it failed", async () => {
    const host = emptyMachine();
    const once = { unit, content: "[Service]\nType=oneshot\nExecStart=/bin/true\n", state: "ran" } as const;

    await settle(systemdUnit, once, host);
    await settle(systemdUnit, once, host);
    expect(journalOf(host).filter((line) => line.includes("restart"))).toHaveLength(1);

    await settle(systemdUnit, { ...once, content: `${once.content}# new\n` }, host);
    expect(journalOf(host).filter((line) => line.includes("restart"))).toHaveLength(1);

    host.units.install(unit, { active: "failed" });
    await settle(systemdUnit, { ...once, content: `${once.content}# new\n` }, host);
    expect(journalOf(host).filter((line) => line.includes("restart"))).toHaveLength(1);
  });

  it("runs a packaged oneshot once", async () => {
    const host = emptyMachine();
    const once = { unit: "chrony.service", state: "ran" } as const;

    await settle(systemdUnit, once, host);

    expect(await settle(systemdUnit, once, host)).toMatchObject({ changed: 0 });
    expect(host.journal[0]).toBe("run provision-systemctl restart chrony.service");
  });

  it("puts a drop-in beside the unit and restarts only what runs", async () => {
    const host = emptyMachine();
    const dropIn = { unit: "ssh.service", dropIn: "limits", content: "[Service]\nTasksMax=9\n" };

    await settle(systemdUnit, dropIn, host);
    expect(journalOf(host)).toEqual([
      "directory /etc/systemd/system/ssh.service.d",
      "write /etc/systemd/system/ssh.service.d/limits.conf",
      "run systemctl daemon-reload",
    ]);

    host.units.install("ssh.service", { active: "active" });
    await settle(systemdUnit, dropIn, host);
    expect(host.journal).toContain("run provision-systemctl restart ssh.service");
  });

  it("lets systemd read again what it has not read since it was changed", async () => {
    const host = emptyMachine();
    host.units.install("ssh.service", { active: "active" });
    host.files.directory("/etc/systemd/system/ssh.service.d");
    host.files.write("/etc/systemd/system/ssh.service.d/x.conf", "[Service]\n");

    await settle(systemdUnit, { unit: "ssh.service", state: "running" }, host);

    expect(host.journal).toEqual(["run systemctl daemon-reload"]);
  });

  it("refuses to enable what has no section for it, until its text has one", async () => {
    const state = { unit: undefined, text: undefined, wanted: undefined, stamp: undefined, digests: [] };
    const loaded = { load: "loaded", active: "inactive", enabled: "static", needsReload: false };

    const plan = (wanted?: string) =>
      systemdUnit.plan({ unit, enabled: true }, { ...state, unit: loaded, wanted });

    expect(() => plan()).toThrow(/has no \[Install\] section/);
    expect(plan("[Install]\nWantedBy=multi-user.target\n")).toHaveLength(2);
  });

  it("disables, stops and masks", async () => {
    const host = emptyMachine();

    const off = { unit: "apt-daily.timer", enabled: false, state: "stopped" as const, masked: true };
    await settle(systemdUnit, off, host);

    expect(host.journal).toEqual([
      "run systemctl disable apt-daily.timer",
      "run systemctl stop apt-daily.timer",
      "run systemctl mask apt-daily.timer",
    ]);
  });

  it("watches a unit after its start as long as is asked, and not when nothing is due", async () => {
    const host = emptyMachine();
    const steady = { unit: "ssh.service", state: "running", steadySeconds: 5 } as const;

    await settle(systemdUnit, steady, host);
    const again = await settle(systemdUnit, steady, host);

    expect(host.journal).toEqual(["run provision-systemctl start ssh.service 5"]);
    expect(again).toMatchObject({ changed: 0, flights: 1 });
  });

  it("gives a start the time that it watches", () => {
    const found = { unit: stopped, wanted: undefined, text: undefined, stamp: undefined, digests: [] };
    const params = { unit: "ssh.service", state: "running", steadySeconds: 600 } as const;

    const actions = systemdUnit.plan(params, found).flatMap((change) => change.actions);

    expect(actions).toMatchObject([{ kind: "run", timeoutMs: 720_000 }]);
  });

  it("unmasks before anything else, when that is said", async () => {
    const host = emptyMachine();
    host.units.systemctl("mask", "ssh.service");
    const up = { unit: "ssh.service", enabled: true, state: "running" } as const;

    await expect(settle(systemdUnit, up, host)).rejects.toMatchObject(refusal(/say masked: false/));
    await settle(systemdUnit, { ...up, masked: false }, host);

    expect(host.journal[0]).toBe("run systemctl unmask ssh.service");
    expect(host.units.state("ssh.service")).toMatchObject({ active: "active", enabled: "enabled" });
  });

  it("puts a text in the place of a mask", async () => {
    const host = emptyMachine();
    host.units.systemctl("mask", unit);

    await settle(systemdUnit, { ...own, masked: false }, host);

    expect(host.files.read(path)).toBe(own.content);
    expect(host.units.state(unit).active).toBe("active");
  });

  it.each([
    [{ unit, masked: true, enabled: true }, /cannot be masked and/],
    [{ unit, masked: true, content: "[Unit]" }, /cannot be masked and/],
    [{ unit, content: "x", template: "y" }, /one text, has both/],
    [{ unit, dropIn: "a", enabled: true }, /drop-in "a" must have content or a template/],
    [{ unit: "user@.service", state: "running" as const }, /is a template/],
    [{ unit: "user@.service", enabled: false }, /is a template/],
    [{ unit, content: "x", state: "ran" as const, steadySeconds: 5 }, /say state: running/],
  ])("refuses %j", async (params, reason) => {
    await expect(settle(systemdUnit, params, emptyMachine())).rejects.toMatchObject(refusal(reason));
  });

  it.each([
    [{ unit: "app" }, /unit/],
    [{ unit: "../x.service", enabled: true }, /unit/],
    [{ unit }, /must have "content", .* or "restartOn", has "unit"/],
    [{ unit, content: "x", variables: {} }, /"template" beside "variables"/],
    [{ unit, dropIn: "a/b", content: "x" }, /dropIn/],
    [{ unit, state: "started" }, /state/],
    [{ unit, enabled: "yes" }, /enabled/],
    [{ unit, state: "running", steadySeconds: 0.5 }, /steadySeconds/],
  ])("does not accept %j", (params, reason) => {
    expect(complaints(systemdUnit, params).join("\n")).toMatch(reason);
  });
});
