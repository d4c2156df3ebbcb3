import { describe, expect, it } from "vitest";

import type { FactAnswer } from "../../src/provisioner/core/facts.ts";
import { group } from "../../src/provisioner/host/readers/group.ts";
import { readers } from "../../src/provisioner/host/readers/index.ts";
import { module } from "../../src/provisioner/host/readers/module.ts";
import { mount } from "../../src/provisioner/host/readers/mount.ts";
import { packageReader } from "../../src/provisioner/host/readers/package.ts";
import { query } from "../../src/provisioner/host/readers/query.ts";
import { sysctl } from "../../src/provisioner/host/readers/sysctl.ts";
import { unit } from "../../src/provisioner/host/readers/unit.ts";
import { user } from "../../src/provisioner/host/readers/user.ts";
import { section } from "../support/section.ts";

const absent: FactAnswer = { value: undefined };

describe("every kind", () => {
  const asked = { query: { argv: ["true"] as [string] } };

  it.each(Object.values(readers))("$kind knows nothing when its time ran out", (reader) => {
    const about = (reader.kind === "query" ? asked.query : "/x") as never;

    const answers = reader.parse(section({ late: true, code: 124 }), [about]);

    expect(answers).toEqual([{ unknown: "timed out" }]);
  });

  it.each(Object.values(readers))("$kind knows nothing when its tool is missing", (reader) => {
    const about = (reader.kind === "query" ? asked.query : "/x") as never;
    const stderr = "timeout: failed to run command 'tool': No such file or directory\n";

    const answers = reader.parse(section({ stderr, code: 127 }), [about]);

    expect(answers).toEqual([{ unknown: expect.stringContaining("tool missing: timeout: failed to run") }]);
  });

  it.each(Object.values(readers).filter(({ kind }) => kind !== "query"))(
    "$kind knows nothing when its program crashed without a word",
    (reader) => {
      const answers = reader.parse(section({ code: 139 }), ["/x" as never]);

      expect(answers).toEqual([{ unknown: expect.any(String) }]);
    },
  );
});

describe("package", () => {
  const stdout = [
    "bash\tamd64\tinstalled\t5.2.15-2+b8",
    "dpkg\tamd64\tinstalled\t1.21.22",
    "gone\tamd64\tconfig-files\t1.0",
    "half\tamd64\thalf-configured\t1.0",
    "libc6\tarm64\tinstalled\t2.36-9+arm",
    "libc6\tamd64\tinstalled\t2.36-9",
    "",
  ].join("\n");

  it("tells what is installed, in the machine's own architecture unless asked for another", () => {
    const stderr = "dpkg-query: no packages found matching none\n";
    const names = ["bash", "gone", "half", "none", "libc6", "libc6:arm64"];

    const answers = packageReader.parse(section({ stdout, stderr, code: 1 }), names);

    expect(answers).toEqual([
      { value: "5.2.15-2+b8" },
      absent,
      absent,
      absent,
      { value: "2.36-9" },
      { value: "2.36-9+arm" },
    ]);
  });

  it("calls nothing absent that dpkg-query did not", () => {
    const answers = packageReader.parse(section({ stdout, code: 1 }), ["none"]);

    expect(answers).toEqual([{ unknown: "dpkg-query said nothing of it" }]);
  });

  it("knows nothing when the database cannot be read", () => {
    const stderr =
      "dpkg-query: error: failed to open package info file '/var/lib/dpkg/status' for reading: Permission denied\n";

    const answers = packageReader.parse(section({ stderr, code: 2 }), ["bash"]);

    expect(answers).toEqual([{ unknown: expect.stringContaining("failed to open package info file") }]);
  });

  it.each(["*", "-W", "a b", "", "x;y", "a:b:c"])("does not ask for %j", (name) => {
    expect(packageReader.refuse(name)).toBeTruthy();
  });
});

describe("sysctl", () => {
  it("reads values as the kernel prints them", () => {
    const stdout =
      "/proc/sys/net/ipv4/tcp_rmem\x004096\t131072\t6291456\n/proc/sys/dev/cdrom/info\0one\n/proc/sys/dev/cdrom/info\0\n/proc/sys/dev/cdrom/info\0two\n";
    const stderr =
      "grep: /proc/sys/no/such: No such file or directory\ngrep: /proc/sys/net/ipv4/route/flush: Permission denied\n";
    const keys = ["net.ipv4.tcp_rmem", "dev.cdrom.info", "no.such", "net.ipv4.route.flush", "kernel.empty"];

    const answers = sysctl.parse(section({ stdout, stderr, code: 2 }), keys);

    expect(answers).toEqual([
      { value: "4096\t131072\t6291456" },
      { value: "one\n\ntwo" },
      absent,
      { unknown: "Permission denied" },
      { value: "" },
    ]);
  });

  it("calls nothing empty when grep does not know its options", () => {
    const answers = sysctl.parse(section({ stderr: "grep: invalid option -- 'Z'\n", code: 2 }), [
      "kernel.ostype",
    ]);

    expect(answers).toEqual([{ unknown: expect.stringContaining("invalid option") }]);
  });

  it("finds settings of interfaces with a dot in their name", () => {
    expect(sysctl.script(["net.ipv4.conf.eth0/100.forwarding", "net/ipv4/conf/eth0.100/forwarding"])).toBe(
      "t grep -aHZ '' -- /proc/sys/net/ipv4/conf/eth0.100/forwarding /proc/sys/net/ipv4/conf/eth0.100/forwarding",
    );
  });

  it.each(["../etc/shadow", "kernel..x", "a b", "/etc/passwd", "", "net.ipv4."])(
    "does not ask for %j",
    (key) => {
      expect(sysctl.refuse(key)).toBeTruthy();
    },
  );
});

describe("unit", () => {
  it("reads a block for each, in order", () => {
    const stdout = `LoadState=loaded
ActiveState=active
UnitFileState=enabled
NeedDaemonReload=yes

LoadState=not-found
ActiveState=inactive
UnitFileState=
NeedDaemonReload=no
`;

    const answers = unit.parse(section({ stdout }), ["ssh", "none.service"]);

    expect(answers).toEqual([
      { value: { load: "loaded", active: "active", enabled: "enabled", needsReload: true } },
      { value: { load: "not-found", active: "inactive", enabled: "", needsReload: false } },
    ]);
  });

  it("knows nothing where systemd does not run", () => {
    const stderr = "System has not been booted with systemd as init system (PID 1). Can't operate.\n";

    const answers = unit.parse(section({ stderr, code: 1 }), ["ssh"]);

    expect(answers).toEqual([{ unknown: expect.stringContaining("not been booted with systemd") }]);
  });

  it("knows nothing when the blocks are not as many as were asked for", () => {
    const answers = unit.parse(section({ stdout: "LoadState=loaded\nActiveState=active\n" }), ["a", "b"]);

    expect(answers).toEqual([{ unknown: expect.any(String) }, { unknown: expect.any(String) }]);
  });
});

describe("accounts", () => {
  const groups = "root:x:0:\nsudo:x:27:alice,bob\naudio:x:29:alice\nusers:x:100:alicea\nalice:x:1000:\n";

  it("reads a user with its groups", () => {
    const stdout = `alice:x:1000:1000:Alice,,,:/home/alice:/bin/bash\nsvc:x:998:4711::/:/usr/sbin/nologin\n${groups}`;

    const answers = user.parse(section({ stdout, code: 2 }), ["alice", "nobody-here", "svc", "1000"]);

    expect(answers).toEqual([
      {
        value: {
          uid: 1000,
          group: "alice",
          comment: "Alice,,,",
          home: "/home/alice",
          shell: "/bin/bash",
          groups: ["audio", "sudo"],
        },
      },
      absent,
      { value: { uid: 998, group: "4711", comment: "", home: "/", shell: "/usr/sbin/nologin", groups: [] } },
      absent,
    ]);
  });

  it("reads groups", () => {
    const answers = group.parse(section({ stdout: groups, code: 2 }), ["sudo", "root", "none", "27"]);

    expect(answers).toEqual([
      { value: { gid: 27, members: ["alice", "bob"] } },
      { value: { gid: 0, members: [] } },
      absent,
      absent,
    ]);
  });
});

describe("mount", () => {
  const stdout = `22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda2 rw,errors=remount-ro
30 22 0:30 / /tmp rw,nosuid - tmpfs tmpfs rw,size=100k
31 30 0:31 / /tmp rw,nodev,noexec shared:2 master:3 - tmpfs tmpfs-over rw,size=50%
32 22 0:32 / /mnt/a\\040b\\134c rw - nfs4 srv:/x\\040y rw,vers=4.2
`;

  it("tells what is mounted last, with the options of mount and file system", () => {
    const answers = mount.parse(section({ stdout }), ["/", "/tmp", "/mnt/a b\\c", "/home", "/tmp/"]);

    expect(answers).toEqual([
      { value: { source: "/dev/vda2", fsType: "ext4", options: ["rw", "relatime", "errors=remount-ro"] } },
      { value: { source: "tmpfs-over", fsType: "tmpfs", options: ["rw", "nodev", "noexec", "size=50%"] } },
      { value: { source: "srv:/x y", fsType: "nfs4", options: ["rw", "vers=4.2"] } },
      absent,
      { value: expect.objectContaining({ source: "tmpfs-over" }) },
    ]);
  });
});

describe("module", () => {
  const stdout =
    "sysfs\nloaded br_netfilter\nbuilt-in\nkernel/fs/ext4/ext4.ko\nkernel/crypto/sha256-generic.ko\n";

  it("finds the loaded and the built in, whichever way they are written", () => {
    const answers = module.parse(section({ stdout }), [
      "br-netfilter",
      "ext4",
      "sha256_generic",
      "zfs",
      "sysfs",
    ]);

    expect(answers).toEqual([
      { value: true },
      { value: true },
      { value: true },
      { value: false },
      { value: false },
    ]);
  });

  it("does not call a module missing without the list of what is built in", () => {
    const answers = module.parse(section({ stdout: "sysfs\nloaded loop\n" }), ["loop", "ext4"]);

    expect(answers).toEqual([{ value: true }, { unknown: expect.stringContaining("built in") }]);
  });
});

describe("query", () => {
  it("takes any exit code for an answer", () => {
    const answers = query.parse(section({ stdout: "out\n", stderr: "err\n", code: 127 }), [{ argv: ["sh"] }]);

    expect(answers).toEqual([{ value: { code: 127, stdout: "out\n", stderr: "err\n" } }]);
  });

  it.each([
    ["env: 'none': No such file or directory\n", 127],
    ["env: can't execute 'none': No such file or directory\n", 127],
    ["env: '/etc/passwd': Permission denied\n", 126],
  ])("knows nothing of a program that cannot be started: %s", (stderr, code) => {
    expect(query.parse(section({ stderr, code }), [{ argv: ["none"] }])).toEqual([
      { unknown: expect.stringContaining("tool missing") },
    ]);
  });

  it("knows nothing when it printed more than is kept", () => {
    expect(query.parse(section({ truncated: true }), [{ argv: ["yes"] }])).toEqual([
      { unknown: expect.stringContaining("truncated") },
    ]);
  });
});
