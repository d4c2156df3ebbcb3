import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { format, linesOf, withEntry, type Entry } from "../../src/tasks/fstab/entry.ts";
import { fstab } from "../../src/tasks/fstab/index.ts";
import { emptyMachine } from "../support/fake-host.ts";
import { complaints, planned, settle } from "../support/tasks.ts";

const tmp = { mountPoint: "/tmp", device: "tmpfs", type: "tmpfs", options: "mode=1777,nodev,nosuid" };

const before = `# /etc/fstab: static file system information.
#
LABEL=root\t/\text4   ro,errors=remount-ro\t0 1

  tmpfs   /tmp\ttmpfs  size=10%
# tmpfs /tmp tmpfs old 0 0
UUID=0-1 /mnt/with\\040space vfat noauto
swap none swap sw 0 0`;

const entry: Entry = {
  device: "tmpfs",
  mountPoint: "/tmp",
  type: "tmpfs",
  options: "nodev",
  dump: 0,
  pass: 0,
};

describe("withEntry", () => {
  it("changes the one line and leaves every other byte", () => {
    const after = withEntry(before, "/tmp", entry);

    expect(after).toBe(before.replace("  tmpfs   /tmp\ttmpfs  size=10%", "tmpfs /tmp tmpfs nodev 0 0"));
  });

  it("leaves a line that says the same in other spacing, with what may be left out", () => {
    const same = { ...entry, options: "size=10%" };

    expect(withEntry(before, "/tmp", same)).toBe(before);
  });

  it("adds at the end, after a last line without a line break too", () => {
    expect(withEntry("a /a b", "/tmp", entry)).toBe("a /a b\ntmpfs /tmp tmpfs nodev 0 0\n");
    expect(withEntry("", "/tmp", entry)).toBe("tmpfs /tmp tmpfs nodev 0 0\n");
  });

  it("takes the line away, and a second one of the same mount point", () => {
    expect(withEntry("x /x x\na /tmp a\n# c\nb /tmp b\n", "/tmp", undefined)).toBe("x /x x\n# c\n");
    expect(withEntry("a /tmp a\nb /tmp b\n", "/tmp", entry)).toBe("tmpfs /tmp tmpfs nodev 0 0\n");
  });

  it("finds a mount point by its name, not by its escapes", () => {
    expect(linesOf(before, "/mnt/with space")).toEqual(["UUID=0-1 /mnt/with\\040space vfat noauto"]);
  });

  it("finds again what it wrote, whatever the characters", () => {
    const word = fc.string({ minLength: 1 }).filter((text) => !/[\0\r\v\f]/.test(text) && text.trim() !== "");
    const options = fc.stringMatching(/^[a-z0-9=,%.\\#-]+$/);
    fc.assert(
      fc.property(word, word, options, (device, name, wanted) => {
        const odd: Entry = {
          device,
          mountPoint: `/${name}`,
          type: "ext4",
          options: wanted,
          dump: 0,
          pass: 2,
        };
        const text = withEntry(before, odd.mountPoint, odd);

        expect(linesOf(text, odd.mountPoint)).toEqual([format(odd)]);
        expect(withEntry(text, odd.mountPoint, odd)).toBe(text);
        expect(withEntry(text, odd.mountPoint, undefined)).toBe(`${before}\n`);
      }),
    );
  });
});

describe("fstab", () => {
  it("writes the line, tells systemd, and mounts on a directory that it makes", async () => {
    const host = emptyMachine();

    await settle(fstab, { ...tmp, mountPoint: "/srv/scratch" }, host);

    expect(host.journal).toEqual([
      "write /etc/fstab",
      "run systemctl daemon-reload",
      "directory /srv/scratch",
      "run mount /srv/scratch",
    ]);
  });

  it("asks nothing of systemd where there is none", async () => {
    const host = emptyMachine();
    host.files.remove("/run/systemd/system");

    await settle(fstab, { ...tmp, state: "present" }, host);

    expect(host.journal).toEqual(["write /etc/fstab"]);
  });

  it("keeps mode and owner of the file", async () => {
    const host = emptyMachine();
    host.files.write("/etc/fstab", before, { mode: "0640", group: "disk" });

    await settle(fstab, { ...tmp, state: "present" }, host);

    expect(host.files.stat("/etc/fstab")).toMatchObject({ mode: "0640", group: "disk" });
  });

  it("shows the line alone, as it was and as it will be", async () => {
    const host = emptyMachine();
    host.files.write("/etc/fstab", before);

    expect(await planned(fstab, { ...tmp, state: "present" }, host)).toEqual([
      ["/etc/fstab /tmp", "  tmpfs   /tmp\ttmpfs  size=10%", "tmpfs /tmp tmpfs mode=1777,nodev,nosuid 0 0"],
    ]);
  });

  it.each([
    { wanted: "nodev,nosuid", found: ["rw", "nosuid"], remount: "remount,nodev,nosuid" },
    { wanted: "ro", found: ["rw", "relatime"], remount: "remount,ro" },
    { wanted: "rw,exec", found: ["ro", "rw", "noexec"], remount: "remount,rw,exec" },
    { wanted: "bind,ro", found: ["rw"], remount: "remount,bind,ro" },
    { wanted: "size=5%,noatime", found: ["rw"], remount: undefined },
    { wanted: "dev,ro", found: ["ro", "rw"], remount: undefined },
  ])("with $wanted where $found is mounted, remounts: $remount", async ({ wanted, found, remount }) => {
    const state = {
      text: format({ ...entry, options: wanted }),
      stat: undefined,
      mount: { source: "tmpfs", fsType: "tmpfs", options: found },
      hasMountPoint: true,
      hasSystemd: true,
    };

    const changes = fstab.plan({ ...tmp, options: wanted }, state);

    const argvs = changes.flatMap(({ actions }) =>
      actions.map((action) => (action.kind === "run" ? action.command.argv : [])),
    );
    expect(argvs).toEqual(remount === undefined ? [] : [["mount", "-o", remount, "/tmp"]]);
  });

  it("unmounts what must be absent", async () => {
    const host = emptyMachine();
    host.files.write("/etc/fstab", before);
    host.mounts.set("/tmp", { source: "tmpfs", fsType: "tmpfs", options: ["rw"] });

    await settle(fstab, { mountPoint: "/tmp", state: "absent" }, host);

    expect(host.mounts.has("/tmp")).toBe(false);
    expect(host.files.read("/etc/fstab")).not.toMatch(/^\s*tmpfs/m);
  });

  it.each([
    [{ mountPoint: "/tmp" }, /"device"/],
    [{ mountPoint: "/tmp", device: "tmpfs" }, /"type"/],
    [{ ...tmp, mountPoint: "none" }, /mountPoint/],
    [{ ...tmp, options: "a b" }, /options/],
    [{ ...tmp, options: ["a"] }, /options/],
    [{ ...tmp, pass: -1 }, /pass/],
    [{ ...tmp, state: "gone" }, /state/],
  ])("refuses %j", (params, reason) => {
    expect(complaints(fstab, params).join("\n")).toMatch(reason);
  });
});
