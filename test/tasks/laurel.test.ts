import { describe, expect, it } from "vitest";

import { laurel } from "../../src/tasks/laurel/index.ts";
import { emptyMachine, type FakeHost } from "../support/fake-host.ts";
import { accepts, refusal, settle } from "../support/tasks.ts";

type Params = Parameters<typeof laurel.subject>[0];

const settings = "/etc/laurel/config.toml";
const plugin = "/etc/audit/plugins.d/laurel.conf";
const rulesFile = "/etc/audit/rules.d/60-laurel.rules";
const stamp = "/var/lib/provision/stamps/laurel";
const rules = ["-w /etc/app -p wa -k app"];

async function settled(params: Params = {}): Promise<FakeHost> {
  const host = emptyMachine();
  await settle(laurel, params, host);
  host.journal.length = 0;
  return host;
}

describe("laurel", () => {
  it("has the new settings read before it writes them, loads the rules, and tells auditd", async () => {
    const host = emptyMachine();

    await settle(laurel, { rules, log: { readUsers: ["www-data"] } }, host);

    expect(host.journal.filter((line) => !line.startsWith("directory"))).toEqual([
      "run provision-laurel-check /usr/local/bin/laurel www-data",
      `write ${settings}`,
      `write ${plugin}`,
      `run provision-audit-rules ${rulesFile}`,
      "write /var/lib/provision/stamps/laurel-rules",
      "run provision-laurel-tell auditd.service starts",
      `write ${stamp}`,
    ]);
    expect(host.files.read(plugin)).toContain(
      "path = /usr/local/bin/laurel\nargs = --config /etc/laurel/config.toml\n",
    );
  });

  it("says every setting, as laurel names it", async () => {
    const host = await settled({
      log: { sizeBytes: 1_000_000, generations: 3, readUsers: ["a", "b"], linePrefix: "@cee: " },
      transform: { arguments: "both", argumentsLimitBytes: 1000, users: false, dropNumbers: true },
      enrich: { containers: false, environment: [] },
      labels: { programs: { '^/opt/"x"\\d': "x" }, inherited: ["x"] },
      filter: { keys: ["noise"], withoutKey: true },
    });

    expect(host.files.read(settings)).toBe(`# By provision; what is changed here by hand is lost.
directory = "/var/log/laurel"
user = "_laurel"

[auditlog]
file = "audit.log"
size = 1000000
generations = 3
read-users = ["a", "b"]
line-prefix = "@cee: "

[state]
file = "state"

[transform]
execve-argv = ["array", "string"]
execve-argv-limit-bytes = 1000

[translate]
universal = true
user-db = false
drop-raw = true

[enrich]
pid = true
script = true
container = false
systemd = true
execve-env = []

[label-process]
label-keys = ["software_mgmt"]
label-exe."^/opt/\\"x\\"\\\\d" = "x"
propagate-labels = ["x"]

[filter]
filter-keys = ["noise"]
filter-labels = []
filter-null-keys = true
`);
  });

  it("shows what laurel says of a mistake, and leaves everything as it was", async () => {
    const host = await settled();
    const before = host.files.read(settings);

    const settling = settle(laurel, { labels: { programs: { mistake: "x" } } }, host);

    await expect(settling).rejects.toMatchObject({
      code: "ACTION_FAILED",
      message: expect.stringContaining("line 7: a mistake"),
    });
    expect(host.files.read(settings)).toBe(before);
    expect(host.journal).toEqual(["run provision-laurel-check /usr/local/bin/laurel"]);
  });

  it("tells auditd of other settings, and loads no rules for them", async () => {
    const host = await settled({ rules });

    await settle(laurel, { rules, log: { generations: 3 } }, host);

    expect(host.journal.filter((line) => line.startsWith("run"))).toEqual([
      "run provision-laurel-check /usr/local/bin/laurel",
      "run provision-laurel-tell auditd.service starts",
    ]);
  });

  it("loads other rules, and tells auditd nothing", async () => {
    const host = await settled({ rules });

    await settle(laurel, { rules: [...rules, "-w /etc/other -p wa"] }, host);

    expect(host.journal.filter((line) => line.startsWith("run"))).toEqual([
      `run provision-audit-rules ${rulesFile}`,
    ]);
  });

  it("loads rules again that were written and not taken", async () => {
    const host = await settled({ rules });
    host.files.remove("/var/lib/provision/stamps/laurel-rules");

    await settle(laurel, { rules }, host);

    expect(host.journal).toContain(`run provision-audit-rules ${rulesFile}`);
  });

  it("takes its rules away when none are wanted any more", async () => {
    const host = await settled({ rules });

    expect(await settle(laurel, {}, host)).toMatchObject({ changed: 1 });

    expect(host.files.read(rulesFile)).toBeUndefined();
    expect(await settle(laurel, {}, host)).toMatchObject({ changed: 0, flights: 1 });
  });

  it("starts an auditd that is down, and wakes a laurel that ended", async () => {
    const [down, ended] = [await settled(), await settled()];
    down.units.systemctl("stop", "auditd.service");
    let runs = "";
    ended.program("provision-laurel-look", () => ({ stdout: `/usr/local/bin/laurel\n${runs}` }));
    ended.program("provision-laurel-tell", () => void (runs = "runs\n"));

    await settle(laurel, {}, down);
    await settle(laurel, {}, ended);

    expect(down.journal[0]).toBe("run provision-systemctl start auditd.service 5");
    expect(ended.journal[0]).toBe("run provision-laurel-tell auditd.service starts");
  });

  it("is no longer started by auditd, which goes on", async () => {
    const host = await settled({ rules });

    await settle(laurel, { state: "absent" }, host);

    expect(host.files.read(plugin)).toContain("active = no\n");
    expect(host.journal).toContain("run provision-laurel-tell auditd.service stops");
    expect(host.units.state("auditd.service")).toMatchObject({ active: "active", enabled: "enabled" });
    expect(host.files.read(rulesFile)).toBeUndefined();
    expect(await settle(laurel, { state: "absent" }, host)).toMatchObject({ changed: 0 });
  });

  it("refuses a machine that lacks laurel or auditd, with the way out", async () => {
    const [without, bare] = [emptyMachine(), emptyMachine()];
    without.units.remove("auditd.service");
    bare.program("provision-laurel-look", () => 0);

    await expect(settle(laurel, {}, without)).rejects.toMatchObject(
      refusal(/auditd.service must be there, is not; start from an image/),
    );
    await expect(settle(laurel, {}, bare)).rejects.toMatchObject(
      refusal(/laurel must be at \/usr\/local\/bin\/laurel or/),
    );
  });

  it.each([
    [{}, true],
    [{ log: { sizeBytes: 10 } }, false],
    [{ log: { readUsers: ["a b"] } }, false],
    [{ transform: { arguments: "array" } }, false],
    [{ rules: [] }, false],
    [{ rules: ["# a comment"] }, false],
    [{ rules: ["-w /x\n-e 0"] }, false],
    [{ labels: { programs: { "^/x": "" } } }, false],
  ])("takes %j: %s", (params, isTaken) => {
    expect(accepts(laurel, params)).toBe(isTaken);
  });
});
