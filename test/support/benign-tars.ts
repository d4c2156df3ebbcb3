import { globalHeader, type TarMember } from "./make-archive.ts";

/** Tars such as releases bring, each with what is special in it. */
export const benignTars: readonly (readonly [string, readonly TarMember[]])[] = [
  [
    "members that begin with ./",
    [
      { path: "./", type: "5" },
      { path: "./eza", mode: 0o755, body: "program" },
    ],
  ],
  ["a root that is a dot", [{ path: ".", type: "5" }, { path: "a" }]],
  [
    "links that go up and stay in, as nerdctl-full has",
    [
      { path: "bin/", type: "5" },
      { path: "bin/buildkit-cni-bridge", type: "2", target: "../libexec/cni/bridge" },
      { path: "libexec/cni/bridge", mode: 0o755, body: "bridge" },
    ],
  ],
  [
    "a link through a link to a directory",
    [
      { path: "lib", type: "2", target: "usr/lib" },
      { path: "usr/lib/x.so.1", body: "x" },
      { path: "x.so", type: "2", target: "lib/./x.so.1" },
    ],
  ],
  ["the commit of git archive", [globalHeader({ comment: "a".repeat(40) }), { path: "a", body: "x" }]],
  ["a long name in pax", [{ path: `${"d".repeat(90)}/${"ü".repeat(100)}`, body: "x" }]],
  ["a very long name in pax", [{ path: `${`${"d".repeat(99)}/`.repeat(9)}file`, body: "x" }]],
  ["a long name in GNU's way", [{ path: `${"d".repeat(200)}/${"f".repeat(200)}`, body: "x", long: "gnu" }]],
  [
    "a long link in GNU's way",
    [
      { path: `${"d".repeat(200)}/file`, body: "x", long: "gnu" },
      { path: "link", type: "2", target: `${"d".repeat(200)}/file`, long: "gnu" },
    ],
  ],
  [
    "directories without content",
    [
      { path: "a/b/", type: "5" },
      { path: "a/c", type: "5" },
    ],
  ],
  [
    "a directory in the way of v7",
    [
      { path: "a/", type: "\0", magic: "v7" },
      { path: "a/b", magic: "v7", body: "x" },
    ],
  ],
  [
    "hard links",
    [
      { path: "./bin/vim", mode: 0o755, body: "program" },
      { path: "./bin/vi", type: "1", mode: 0o755, target: "./bin/vim" },
    ],
  ],
  ["a directory twice", [{ path: "a/", type: "5" }, { path: "a/b" }, { path: "a", type: "5" }]],
  [
    "attributes of macOS, with bytes that are no text",
    [
      {
        path: "a",
        body: "x",
        pax: {
          "LIBARCHIVE.xattr.com.apple.provenance": "AQIA",
          "SCHILY.xattr.com.apple.provenance": Buffer.from([1, 2, 0, 0xff, 0x0a, 0x31, 0x20, 0x3d]),
          mtime: "1.5",
        },
      },
    ],
  ],
  ["a comment that looks like a record", [{ path: "a", body: "x", pax: { comment: "y\n10 path=z" } }]],
  [
    "a size in pax",
    [
      { path: "a", body: "12345", size: 0, pax: { size: "5" } },
      { path: "b", body: "y" },
    ],
  ],
];
