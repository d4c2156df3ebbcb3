import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Manifest } from "../../src/provisioner/pins/manifest.ts";
import type { ToolEntry } from "../../src/provisioner/pins/tool-entry.ts";
import { makeTar, makeTarGz, makeZip, type TarMember } from "./make-archive.ts";

/** A release of a tool with the layout of a real one: its entry without digests, and its files. */
interface Release {
  readonly entry: Omit<ToolEntry, "sha256" | "parts">;
  readonly bytes: Buffer;
}

/** A program that says who it is. */
export function someProgram(says: string): string {
  return `#!/bin/sh\necho ${says}\n`;
}

const base = "https://releases.test";

function program(path: string, says: string): TarMember {
  return { path, mode: 0o755, body: someProgram(says) };
}

/** Releases by tool and version. */
export const releases: Readonly<Record<string, (version: string) => Release>> = {
  /** A tree with a directory of its own, a link in it, and a file that only one version has. */
  gopher: (version) => ({
    entry: {
      version,
      url: `${base}/gopher{version}.tar.gz`,
      binary: { gopher: "gopher/bin/gopher", gofmt: "gopher/bin/gofmt" },
      extract_to: "/usr/local/gopher",
      root: "gopher",
      license: "BSD-3-Clause",
      system: true,
    },
    bytes: makeTarGz([
      { path: "gopher/", type: "5" },
      program("gopher/bin/gopher", `gopher ${version}`),
      program("gopher/bin/gofmt", `gofmt ${version}`),
      { path: "gopher/VERSION", body: version },
      { path: `gopher/only-in-${version}`, body: version },
      { path: "gopher/lib/link", type: "2", target: "../VERSION" },
    ]),
  }),
  /** A program in a folder, with a manual page and completions. */
  seeker: (version) => ({
    entry: {
      version,
      url: `${base}/seeker-{version}-x.tar.gz`,
      binary: { sk: "{stem}/sk" },
      extra: [
        { from: "{stem}/doc/*.1", to: "man1" },
        { from: "{stem}/complete/sk.bash", to: "bash" },
        { from: "{stem}/complete/_sk", to: "zsh" },
        { from: "{stem}/complete/sk.fish", to: "fish" },
        { from: "{stem}/complete/none.fish", to: "fish" },
      ],
      system: true,
    },
    bytes: makeTarGz([
      program(`seeker-${version}-x/sk`, `sk ${version}`),
      { path: `seeker-${version}-x/doc/sk.1`, body: ".TH sk\n" },
      ...(version === "1.0" ? [{ path: "seeker-1.0-x/doc/sk-old.1", body: ".TH old\n" }] : []),
      { path: `seeker-${version}-x/complete/sk.bash`, body: "complete\n" },
      { path: `seeker-${version}-x/complete/_sk`, body: "#compdef sk\n" },
      { path: `seeker-${version}-x/complete/sk.fish`, body: "complete -c sk\n" },
      { path: `seeker-${version}-x/LICENSE`, body: "free\n" },
    ]),
  }),
  /** The program itself. */
  query: (version) => ({
    entry: { version, url: `${base}/query-linux-amd64`, binary: "qy" },
    bytes: Buffer.from(someProgram(`qy ${version}`)),
  }),
  /** A tree that is merged into the prefix, with links between its folders. */
  boxes: (version) => ({
    entry: { version, url: `${base}/boxes-full-{version}.tar.gz`, extract_to: "/usr/local" },
    bytes: makeTarGz([
      { path: "bin/", type: "5" },
      program("bin/boxes", `boxes ${version}`),
      program("libexec/net/bridge", `bridge ${version}`),
      { path: "bin/boxes-bridge", type: "2", target: "../libexec/net/bridge" },
      { path: "lib/systemd/system/boxes.service", body: "[Unit]\n" },
      { path: "share/doc/boxes/README.md", body: version },
    ]),
  }),
  /** Components that are merged into one tree, packed by xz; the later of two files of one name counts. */
  crab: (version) => ({
    entry: {
      version,
      url: `${base}/crab-{version}.tar.xz`,
      binary: { crabc: "{stem}/crabc/bin/crabc", cargo: "{stem}/cargo/bin/cargo" },
      extract_to: "/usr/local/crab",
      root: ["{stem}/crabc", "{stem}/cargo"],
    },
    bytes: execFileSync("xz", ["-c"], {
      input: makeTar([
        program(`crab-${version}/crabc/bin/crabc`, `crabc ${version}`),
        { path: `crab-${version}/crabc/components`, body: "crabc" },
        { path: `crab-${version}/crabc/lib/.hidden`, body: "" },
        program(`crab-${version}/cargo/bin/cargo`, `cargo ${version}`),
        { path: `crab-${version}/cargo/components`, body: "cargo" },
        { path: `crab-${version}/cargo/lib/cargo.txt`, body: "" },
        { path: `crab-${version}/install.sh`, body: "" },
      ]),
    }),
  }),
  /** A tree in a directory that is not at the top, whose program looks for its files beside itself. */
  editor: (version) => ({
    entry: {
      version,
      url: `${base}/editor-linux.tar.gz`,
      binary: "{stem}/bin/ed2",
      extract_to: "/usr/local/opt/editor",
      root: "{stem}",
      extra: [{ from: "{stem}/share/man/man1/ed2.1", to: "man1" }],
    },
    bytes: makeTarGz([
      program("editor-linux/bin/ed2", `ed2 ${version}`),
      { path: "editor-linux/share/man/man1/ed2.1", body: ".TH ed2\n" },
      { path: "editor-linux/share/runtime.vim", body: version },
    ]),
  }),
  zipped: (version) => ({
    entry: { version, url: `${base}/zipped-{version}.zip`, binary: "zipped" },
    bytes: makeZip([{ path: "zipped", mode: 0o100755, body: someProgram(`zipped ${version}`) }]),
  }),
};

/** Files of releases in a folder, by digest, and the versions.yaml that pins them. */
export function publish(
  folder: string,
  versions: Readonly<Record<string, string | Release>>,
): { readonly manifest: Manifest; readonly fileOf: (sha256: string) => string } {
  mkdirSync(folder, { recursive: true });
  const fileOf = (sha256: string) => join(folder, sha256);
  const tools = Object.entries(versions).map(([name, wanted]): [string, ToolEntry] => {
    const release = typeof wanted === "string" ? releases[name]?.(wanted) : wanted;
    if (!release) throw new Error(`Nobody released ${name}`);
    const sha256 = createHash("sha256").update(release.bytes).digest("hex");
    writeFileSync(fileOf(sha256), release.bytes);
    return [name, { ...release.entry, sha256: { x86_64: sha256, aarch64: sha256 } }];
  });
  return { manifest: { bases: {}, tools: Object.fromEntries(tools) }, fileOf };
}
