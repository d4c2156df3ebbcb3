import { describe, expect, it } from "vitest";

import type { FactAnswer } from "../../src/provisioner/core/facts.ts";
import { digest } from "../../src/provisioner/host/readers/digest.ts";
import { file } from "../../src/provisioner/host/readers/file.ts";
import { group } from "../../src/provisioner/host/readers/group.ts";
import { readers } from "../../src/provisioner/host/readers/index.ts";
import { module } from "../../src/provisioner/host/readers/module.ts";
import { mount } from "../../src/provisioner/host/readers/mount.ts";
import { packageReader } from "../../src/provisioner/host/readers/package.ts";
import { query } from "../../src/provisioner/host/readers/query.ts";
import type { Section } from "../../src/provisioner/host/readers/reader.ts";
import { stat } from "../../src/provisioner/host/readers/stat.ts";
import { sysctl } from "../../src/provisioner/host/readers/sysctl.ts";
import { unit } from "../../src/provisioner/host/readers/unit.ts";
import { user } from "../../src/provisioner/host/readers/user.ts";

const absent: FactAnswer = { value: undefined };
const sum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

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

  it.each(Object.values(readers))("$kind knows nothing when its program crashed without a word", (reader) => {
    if (reader.kind === "query")
      return expect(reader.parse(section({ code: 139 }), [asked.query as never])).toHaveLength(1);

    const answers = reader.parse(section({ code: 139 }), ["/x" as never]);

    return expect(answers).toEqual([{ unknown: expect.any(String) }]);
  });
});

describe("stat", () => {
  const printed = (...records: string[][]) => records.map((words) => `${words.join("\0")}\0`).join("");

  it("reads files, directories, links and the rest", () => {
    const stdout = printed(
      ["/etc/hosts", "f", "644", "root", "root", "120", ""],
      ["/etc", "d", "755", "root", "root", "4096", ""],
      ["/a b\nc", "l", "777", "1000", "games", "5", "to\nthere"],
      ["/pipe", "p", "0", "root", "root", "0", ""],
      ["/usr/bin/su", "f", "4755", "root", "root", "9", ""],
    );

    const answers = stat.parse(section({ stdout }), [
      "/etc/hosts",
      "/etc",
      "/a b\nc",
      "/pipe",
      "/usr/bin/su",
    ]);

    expect(answers).toEqual([
      { value: { type: "file", mode: "0644", owner: "root", group: "root", size: 120, target: undefined } },
      {
        value: {
          type: "directory",
          mode: "0755",
          owner: "root",
          group: "root",
          size: 4096,
          target: undefined,
        },
      },
      {
        value: { type: "symlink", mode: "0777", owner: "1000", group: "games", size: 5, target: "to\nthere" },
      },
      { value: { type: "other", mode: "0000", owner: "root", group: "root", size: 0, target: undefined } },
      { value: { type: "file", mode: "4755", owner: "root", group: "root", size: 9, target: undefined } },
    ]);
  });

  it("tells what is not there from what cannot be seen", () => {
    const stdout = printed(["/b", "f", "644", "root", "root", "1", ""]);
    const stderr = [
      "find: '/a': No such file or directory",
      "find: '/c/d': Not a directory",
      "find: '/e': Permission denied",
      "find: '/f\\n\"\\'g': Input/output error",
    ].join("\n");

    const answers = stat.parse(section({ stdout, stderr, code: 1 }), ["/a", "/b", "/c/d", "/e", "/f\n\"'g"]);

    expect(answers.map((answer) => ("unknown" in answer ? answer.unknown : answer.value && "there"))).toEqual(
      [undefined, "there", undefined, "Permission denied", "Input/output error"],
    );
  });

  it.each([
    ["says less than it should", "find: '/a': No such file or directory"],
    [
      "speaks of another path",
      "find: '/a': No such file or directory\nfind: '/x': No such file or directory",
    ],
    ["says nothing", ""],
    ["does not know its options", "find: unrecognized: -printf"],
  ])("calls nothing absent when find %s", (_, stderr) => {
    const answers = stat.parse(section({ stderr, code: 1 }), ["/a", "/b"]);

    expect(answers).toEqual([{ unknown: expect.any(String) }, { unknown: expect.any(String) }]);
  });
});

describe("file", () => {
  const records = "/a\0f\x003\0ext4\0/empty\0f\x000\0ext4\0/dir\0d\x004096\0ext4\0/b c\0f\x005\0tmpfs\0\0";

  it("cuts the contents by their sizes", () => {
    const answers = file.parse(section({ stdout: `${records}A\0\nBBBB\n` }), [
      "/b c",
      "/a",
      "/empty",
      "/dir",
    ]);

    expect(answers).toEqual([
      { value: "BBBB\n" },
      { value: "A\0\n" },
      { value: "" },
      { unknown: "is not a regular file" },
    ]);
  });

  it.each(["AA\nBBBB", "AA\nBBBB\n+"])(
    "knows no content when a file changed while it was read: %j",
    (contents) => {
      const answers = file.parse(section({ stdout: records + contents }), ["/a", "/b c", "/empty"]);

      expect(answers).toEqual([
        { unknown: "changed while read" },
        { unknown: "changed while read" },
        { value: "" },
      ]);
    },
  );

  it("loses only the file that cannot be opened", () => {
    const stderr = "cat: /a: Permission denied\n";

    const answers = file.parse(section({ stdout: `${records}BBBB\n`, stderr, code: 1 }), ["/a", "/b c"]);

    expect(answers).toEqual([{ unknown: "Permission denied" }, { value: "BBBB\n" }]);
  });

  it("keeps what came before the cap", () => {
    const stdout = Buffer.from(`${records}AA\nBB`);

    const answers = file.parse({ ...section({ stdout, truncated: true }), size: stdout.length + 3 }, [
      "/a",
      "/b c",
    ]);

    expect(answers).toEqual([{ value: "AA\n" }, { unknown: expect.stringContaining("truncated") }]);
  });

  it("takes no bytes for text that are none, and no kernel's word for a file", () => {
    const head =
      "/bin\0f\x002\0ext4\0/mtab\0f\x000\0proc\0/s\0f\x004096\0sysfs\0/big\0f\x009999999\0ext4\0\0";
    const stdout = Buffer.concat([Buffer.from(head), Buffer.from([0xff, 0xfe])]);

    const answers = file.parse(section({ stdout }), ["/bin", "/mtab", "/s", "/big"]);

    expect(answers).toEqual([
      { unknown: "is not UTF-8 text" },
      { unknown: "is on proc, where files have no lasting content" },
      { unknown: "is on sysfs, where files have no lasting content" },
      { unknown: "truncated: is 9999999 bytes, at most 1048576 are read" },
    ]);
  });

  it("keeps a byte order mark", () => {
    const answers = file.parse(section({ stdout: "/a\0f\x004\0ext4\0\0\ufeffx" }), ["/a"]);

    expect(answers).toEqual([{ value: "\ufeffx" }]);
  });
});

describe("digest", () => {
  it("reads sums, and what is none", () => {
    const stdout = `/a\0f\0ext4\0/dir\0d\0ext4\0/b c\0f\0ext4\0/denied\0f\0ext4\0${sum}  /a\0${sum}  /b c\0`;
    const stderr = "find: '/none': No such file or directory\nsha256sum: /denied: Permission denied\n";

    const answers = digest.parse(section({ stdout, stderr, code: 1 }), [
      "/a",
      "/b c",
      "/dir",
      "/none",
      "/denied",
    ]);

    expect(answers).toEqual([
      { value: sum },
      { value: sum },
      { unknown: "is not a regular file" },
      absent,
      { unknown: "sha256sum: /denied: Permission denied" },
    ]);
  });
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

function section(given: Partial<Omit<Section, "stdout">> & { readonly stdout?: string | Buffer }): Section {
  const stdout = Buffer.from(given.stdout ?? "");
  return { size: stdout.length, stderr: "", code: 0, late: false, truncated: false, ...given, stdout };
}
