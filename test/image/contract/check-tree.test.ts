import { describe, expect, it } from "vitest";

import { checkTree } from "../../../src/provisioner/image/contract/check-tree.ts";
import { hygiene } from "../../../src/provisioner/image/hygiene.ts";
import { matchesPattern } from "../../../src/provisioner/image/path-pattern.ts";
import type { ImageTree } from "../../../src/provisioner/image/image-tree.ts";

/** An image's files in memory; a value that starts with `->` is a symbolic link. */
function treeOf(files: Record<string, string>): ImageTree {
  const paths = Object.keys(files);
  const isLink = (path: string) => files[path]?.startsWith("->") === true;
  return {
    text: async (path) => (isLink(path) ? undefined : files[path]),
    link: async (path) => (isLink(path) ? files[path]?.slice(2) : undefined),
    match: async (pattern) =>
      paths.filter((path) => {
        const [whole, own] = [path, pattern].map((each) => each.split("/"));
        const above = whole?.slice(0, own?.length);
        return (
          above?.slice(0, -1).join("/") === own?.slice(0, -1).join("/") &&
          matchesPattern(above?.at(-1) ?? "", own?.at(-1) ?? "")
        );
      }),
    fileSystems: [{ label: "root", isClean: files["journal"] === undefined }],
    below: async (path) =>
      paths
        .filter((each) => each.startsWith(`${path}/`))
        .map((each) => ({ path: each, isFile: !isLink(each), size: files[each]?.length ?? 0 })),
  };
}

const clean = {
  "/etc/passwd": "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534::/:/usr/sbin/nologin\n",
  "/etc/shadow": "root:!*:19000:0:99999:7:::\nnobody:*:19000::::::\n",
  "/etc/group": "root:x:0:\nsudo:x:27:\n",
  "/etc/sudoers":
    "Defaults env_reset\nroot ALL=(ALL:ALL) ALL\n%sudo ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n",
  "/etc/sudoers.d/README": "# As of Debian version 1.7.2p1-1\n",
  "/etc/machine-id": "",
  "/etc/resolv.conf": "->../run/systemd/resolve/stub-resolv.conf",
  "/etc/fstab": "LABEL=root / ext4 rw,errors=remount-ro 0 1\n",
  "/usr/lib/sysimage/dpkg/status": "Package: bash\nStatus: install ok installed\n\n",
};

async function broken(more: Record<string, string>, readOnlyRoot = false): Promise<string[]> {
  const assertions = await checkTree(treeOf({ ...clean, ...more }), { readOnlyRoot });
  return assertions
    .filter(({ against }) => against.length > 0)
    .map(({ what, against }) => `${what}: ${against.join(", ")}`);
}

describe("the contract of a golden image", () => {
  it("holds for a clean tree", async () => {
    expect(await broken({})).toEqual([]);
  });

  it.each([
    [
      "a user",
      { "/etc/passwd": `${clean["/etc/passwd"]}mallory:x:1000:1000::/home/mallory:/bin/sh\n` },
      'user "mallory"',
    ],
    ["a second root", { "/etc/passwd": `${clean["/etc/passwd"]}toor:x:0:0::/root:/bin/sh\n` }, 'user "toor"'],
    ["a password", { "/etc/shadow": "root:$y$j9T$abc:19000::::::\n" }, '"root" has a password'],
    ["an empty password", { "/etc/shadow": "root::19000::::::\n" }, '"root" has a password'],
    ["a sudo rule", { "/etc/sudoers.d/90-x": "mallory ALL=(ALL) NOPASSWD:ALL\n" }, "mallory ALL="],
    [
      "a rule in sudoers itself",
      { "/etc/sudoers": `${clean["/etc/sudoers"]}mallory ALL=(ALL) ALL\n` },
      "mallory ALL=",
    ],
    ["a member of sudo", { "/etc/group": "root:x:0:\nsudo:x:27:mallory\n" }, '"mallory" in group "sudo"'],
    ["subordinate ids", { "/etc/subuid": "mallory:100000:65536\n" }, "mallory:100000:65536"],
    ["a private key", { "/etc/x.key": "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n" }, "/etc/x.key"],
    [
      "a builder's resolver",
      { "/etc/resolv.conf": "nameserver 192.168.122.1\n" },
      "/etc/resolv.conf is a file",
    ],
    [
      "a half package",
      { "/usr/lib/sysimage/dpkg/status": "Package: foo\nStatus: install ok half-configured\n" },
      "foo",
    ],
    ["a machine-id", { "/etc/machine-id": "0123456789abcdef0123456789abcdef\n" }, "/etc/machine-id holds"],
    [
      "the keys of a VPN",
      { "/etc/wireguard/wg0.conf": "[Interface]\nPrivateKey = YNqHbfBQKaGv\n" },
      "/etc/wireguard/wg0.conf",
    ],
    ["the builder in a group of its own name", { "/etc/gshadow": "builder:!::\n" }, "/etc/gshadow names it"],
    ["the builder as host name", { "/etc/hosts": "127.0.1.1 builder\n" }, "/etc/hosts names it"],
    ["a disk of the builder", { "/etc/fstab": "/dev/vdb none swap sw 0 0\n" }, "/etc/fstab: /dev/vdb none"],
    ["a journal to be recovered", { journal: "x" }, 'the file system "root" has a journal'],
    [
      "a set-aside configuration",
      { "/etc/ssh/sshd_config.dpkg-dist": "x" },
      "/etc/ssh/sshd_config.dpkg-dist",
    ],
    ["a log", { "/var/log/syslog": "x" }, "/var/log/syslog"],
    ["a home directory", { "/home/mallory/.bashrc": "" }, "/home/mallory/.bashrc"],
  ])("is broken by %s, which it names", async (_, more, named) => {
    expect((await broken(more)).join("\n")).toContain(named);
  });

  it.each(hygiene.flatMap((item) => (item.absent ?? []).map((pattern) => [pattern, item.what] as const)))(
    "is broken by %s",
    async (pattern, what) => {
      const planted = pattern.replace("[!.]", "p").replace("*", "planted");

      expect((await broken({ [planted]: "x" })).some((line) => line.startsWith(`${what}:`))).toBe(true);
    },
  );

  it("asks for a read-only root only when the image claims one", async () => {
    expect(await broken({}, true)).toEqual([expect.stringContaining("root is mounted read-only")]);
  });
});
