import { describe, expect, it } from "vitest";

import { apparmor } from "../../src/tasks/apparmor.ts";
import { loadedProfiles } from "../support/fake-apparmor.ts";
import { emptyMachine } from "../support/fake-host.ts";
import { shippedTemplates } from "../support/bases.ts";
import { complaints, planned, settle } from "../support/tasks.ts";

const text = "profile exporter /usr/bin/exporter {\n  /proc/** r,\n}\n";
const exporter = { name: "exporter", content: text };
const file = "/etc/apparmor.d/exporter";
const stamp = "/var/lib/provision/stamps/apparmor-exporter";
const load = `run apparmor_parser --replace --skip-read-cache --write-cache ${file}`;
const switchFile = "/sys/module/apparmor/parameters/enabled";
const restriction = "kernel.apparmor_restrict_unprivileged_userns";

describe("apparmor", () => {
  it("reads the text before it is in place, and loads it from there", async () => {
    const host = emptyMachine();

    await settle(apparmor, exporter, host);

    expect(host.journal).toEqual([
      "run apparmor_parser --skip-kernel-load --skip-cache",
      `write ${file}`,
      load,
      "directory /var/lib/provision/stamps",
      `write ${stamp}`,
    ]);
    expect(loadedProfiles(host)).toEqual(["exporter"]);
  });

  it("leaves the old profile where it is when the new one has a mistake, and says the parser's line", async () => {
    const host = emptyMachine();
    await settle(apparmor, exporter, host);
    const before = host.journal.length;

    const settling = settle(apparmor, { ...exporter, content: text.replace("}", "") }, host);

    await expect(settling).rejects.toMatchObject({
      code: "ACTION_FAILED",
      facts: { tail: "AppArmor parser error at line 4: syntax error" },
      mend: expect.stringMatching(/^Correct the profile/),
    });
    expect(host.files.read(file)).toBe(text);
    expect(loadedProfiles(host)).toEqual(["exporter"]);
    expect(host.journal.slice(before)).toEqual(["run apparmor_parser --skip-kernel-load --skip-cache"]);
  });

  it("loads one whose file is there when the kernel does not have it", async () => {
    const host = emptyMachine();
    await settle(apparmor, exporter, host);
    host.files.write(
      "/sys/kernel/security/apparmor/profiles",
      "exporter2 (enforce)\nother//exporter (enforce)\n",
    );

    expect(await planned(apparmor, exporter, host)).toEqual([
      ["exporter in the kernel", undefined, "current"],
    ]);
    host.journal.length = 0;
    await settle(apparmor, exporter, host);

    expect(host.journal).toEqual([load, "directory /var/lib/provision/stamps", `write ${stamp}`]);
  });

  it("loads again what was written and not loaded when an earlier run was cut off", async () => {
    const host = emptyMachine();
    await settle(apparmor, exporter, host);
    const changed = { ...exporter, content: text.replace(" r,", " rw,") };
    host.files.write(file, changed.content);

    expect(await planned(apparmor, changed, host)).toEqual([["exporter in the kernel", "older", "current"]]);
  });

  it("writes what somebody changed by hand, and loads it", async () => {
    const host = emptyMachine();
    await settle(apparmor, exporter, host);
    host.files.write(file, "profile exporter /usr/bin/exporter {}\n");
    host.journal.length = 0;

    await settle(apparmor, exporter, host);

    expect(host.files.read(file)).toBe(text);
    expect(host.journal).toContain(load);
  });

  it("knows a profile by another name than its file's", async () => {
    const host = emptyMachine();
    const content = "/usr/bin/exporter flags=(complain) {\n}\n";
    const params = { ...exporter, profile: "/usr/bin/exporter", content };

    await settle(apparmor, params, host);

    expect(await settle(apparmor, params, host)).toMatchObject({ changed: 0 });
  });

  it("is not settled by a text without the profile", async () => {
    const settling = settle(apparmor, { ...exporter, profile: "another" }, emptyMachine());

    await expect(settling).rejects.toMatchObject({
      code: "TASK_NOT_SETTLED",
      facts: { what: "another in the kernel" },
    });
  });

  it.each([
    ["without AppArmor", undefined],
    ["that has it switched off", "N\n"],
  ])("does nothing on a kernel %s", async (_title, state) => {
    const host = emptyMachine();
    host.files.remove(switchFile);
    if (state !== undefined) host.files.write(switchFile, state);

    expect(await settle(apparmor, exporter, host)).toMatchObject({ changed: 0, flights: 1 });
    expect(host.journal).toEqual([]);
  });

  it.each([
    [undefined, 0],
    ["0", 0],
    ["1", 1],
  ])(
    "where it is for restricted namespaces alone, and the setting is %s, changes %d",
    async (value, changed) => {
      const host = emptyMachine();
      if (value !== undefined) host.sysctls.set(restriction, value);

      expect(await settle(apparmor, { ...exporter, onlyWhereRestricted: true }, host)).toMatchObject({
        changed,
      });
    },
  );

  it("fails when there is no parser", async () => {
    const host = emptyMachine();
    host.withoutProgram("apparmor_parser");

    await expect(settle(apparmor, exporter, host)).rejects.toMatchObject({
      code: "ACTION_FAILED",
      facts: { tail: "apparmor_parser: not found" },
    });
    expect(host.files.read(file)).toBeUndefined();
  });

  it.each([
    [{ name: "x" }, /"content" or "template"/],
    [{ name: "x", content: "a", template: "b" }, /only one of/],
    [{ name: "x", content: "a", variables: {} }, /"template" beside "variables"/],
    [{ name: "x", content: " \n" }, /content/],
    [{ name: ".x", content: "a" }, /name/],
    [{ name: "a/b", content: "a" }, /name/],
    [{ name: "x~", content: "a" }, /name/],
    [{ name: "x", profile: "a b", content: "a" }, /profile/],
  ])("refuses %j", (params, reason) => {
    expect(complaints(apparmor, params).join("\n")).toMatch(reason);
  });
});

describe("the profile of rootlesskit", () => {
  it("is that of AppArmor 4 for the packaged program, so that its file is not changed", () => {
    const packaged = `# This profile allows everything and only exists to give the
# application a name instead of having the label "unconfined"

abi <abi/4.0>,
include <tunables/global>

profile rootlesskit /usr/bin/rootlesskit flags=(unconfined) {
  userns,

  # Site-specific additions and overrides. See local/README for details.
  include if exists <local/rootlesskit>
}
`;
    const variables = { profile: "rootlesskit", program: "/usr/bin/rootlesskit" };

    expect(shippedTemplates("apparmor/rootlesskit", variables)).toBe(packaged);
  });

  it("takes another program under another name", () => {
    const variables = { profile: "usr.local.bin.rootlesskit", program: "/usr/local/bin/rootlesskit" };

    expect(shippedTemplates("apparmor/rootlesskit", variables)).toContain(
      "profile usr.local.bin.rootlesskit /usr/local/bin/rootlesskit flags=(unconfined) {\n  userns,\n",
    );
  });
});
