import { makeTar, makeTarGz, type TarMember } from "./make-archive.ts";
import type { Release } from "./tool-project.ts";

/** A program that says its name and version. */
function program(name: string, version: string): string {
  return `#!/bin/sh\necho ${name} ${version}\n`;
}

function file(path: string, body: string, mode = 0o644): TarMember {
  return { path, body, mode };
}

function link(path: string, target: string): TarMember {
  return { path, type: "2", target };
}

/** Binary, manual page and completions in a directory of the archive. */
export function bat(version: string): Release {
  const stem = `bat-v${version}-x86_64-unknown-linux-musl`;
  return {
    name: "bat",
    file: `${stem}.tar.gz`,
    body: makeTarGz([
      { path: `${stem}/`, type: "5" },
      file(`${stem}/bat`, program("bat", version), 0o755),
      file(`${stem}/bat.1`, `.TH BAT 1 ${version}\n`),
      file(`${stem}/autocomplete/bat.bash`, "complete -F _bat bat\n"),
      file(`${stem}/autocomplete/bat.zsh`, "#compdef bat\n"),
      file(`${stem}/autocomplete/bat.fish`, "complete -c bat\n"),
      file(`${stem}/LICENSE-MIT`, "MIT\n"),
    ]),
    entry: {
      version,
      repo: "sharkdp/bat",
      binary: "{stem}/bat",
      extra: [
        { from: "{stem}/bat.1", to: "man1" },
        { from: "{stem}/autocomplete/bat.bash", to: "bash" },
        { from: "{stem}/autocomplete/bat.zsh", to: "zsh" },
        { from: "{stem}/autocomplete/bat.fish", to: "fish" },
        { from: "{stem}/LICENSE*", to: "doc" },
      ],
      license: "MIT OR Apache-2.0",
    },
  };
}

/** The program itself. */
export function jq(version: string): Release {
  return {
    name: "jq",
    file: `jq-linux-amd64-${version}`,
    body: Buffer.from(program("jq", version)),
    entry: { version, binary: "jq", license: "MIT" },
  };
}

/** Binary at the root of the archive, as `./eza`. */
export function eza(version: string): Release {
  return {
    name: "eza",
    file: `eza_x86_64-${version}.tar.gz`,
    body: makeTarGz([{ path: "./", type: "5" }, file("./eza", program("eza", version), 0o755)]),
    entry: { version, binary: "eza" },
  };
}

/** A whole tree that gets a directory of its own. */
export function go(version: string): Release {
  return {
    name: "go",
    file: `go${version}.linux-amd64.tar.gz`,
    body: makeTarGz([
      file("go/VERSION", `go${version}\n`),
      file("go/bin/go", program("go", version), 0o755),
      file("go/bin/gofmt", program("gofmt", version), 0o755),
      file("go/src/fmt/print.go", "package fmt\n"),
      link("go/misc/current", "../bin/go"),
      { path: "go/pkg/empty/", type: "5" },
    ]),
    entry: {
      version,
      extract_to: "/usr/local/go",
      root: "go",
      binary: { go: "go/bin/go", gofmt: "go/bin/gofmt" },
      license: "BSD-3-Clause",
    },
  };
}

/** Several folders of the archive, laid over each other. */
export function rust(version: string): Release {
  const stem = `rust-${version}-x86_64-unknown-linux-gnu`;
  return {
    name: "rust",
    file: `${stem}.tar.gz`,
    body: makeTarGz([
      file(`${stem}/install.sh`, "#!/bin/sh\n", 0o755),
      file(`${stem}/rustc/manifest.in`, "file:bin/rustc\n"),
      file(`${stem}/rustc/bin/rustc`, program("rustc", version), 0o755),
      file(`${stem}/rustc/lib/librustc_driver.so`, "driver\n"),
      file(`${stem}/rustc/share/doc/rust/LICENSE`, "MIT\n"),
      file(`${stem}/cargo/manifest.in`, "file:bin/cargo\n"),
      file(`${stem}/cargo/bin/cargo`, program("cargo", version), 0o755),
      file(`${stem}/cargo/share/doc/rust/LICENSE`, "MIT\n"),
    ]),
    entry: {
      version,
      extract_to: "/usr/local/opt/rust",
      root: ["{stem}/rustc", "{stem}/cargo"],
      binary: { rustc: "{stem}/rustc/bin/rustc", cargo: "{stem}/cargo/bin/cargo" },
      license: "MIT OR Apache-2.0",
    },
  };
}

/** A whole tree that is merged into the prefix; version 2 drops a program, brings another and moves a folder. */
export function nerdctl(version: string): Release {
  const isSecond = version.startsWith("2");
  return {
    name: "nerdctl",
    file: `nerdctl-full-${version}-linux-amd64.tar.gz`,
    body: makeTarGz([
      file("bin/nerdctl", program("nerdctl", version), 0o755),
      file("bin/runc", program("runc", version), 0o755),
      isSecond
        ? file("bin/bypass4netns", program("bypass4netns", version), 0o755)
        : file("bin/ctd-decoder", program("ctd-decoder", version), 0o755),
      link("bin/buildkit-cni-bridge", "../libexec/cni/bridge"),
      file("libexec/cni/bridge", program("bridge", version), 0o755),
      file("lib/systemd/system/containerd.service", `[Service] # ${version}\n`),
      ...(isSecond ? [] : [file("share/doc/nerdctl/docs/old/page.md", "old\n")]),
      file("share/doc/nerdctl-full/README.md", `${version}\n`),
    ]),
    entry: { version, extract_to: "~/.local", license: "Apache-2.0" },
  };
}

/** The layouts that need no program to be packed. */
export const releases = [bat, jq, eza, go, rust, nerdctl] as const;

/** The bytes of one more layout: `xz` packs it. */
export function shellcheckTar(version: string): Buffer {
  const stem = `shellcheck-v${version}`;
  return makeTar([
    file(`${stem}/README.txt`, "read me\n"),
    file(`${stem}/LICENSE.txt`, "GPL\n"),
    file(`${stem}/shellcheck`, program("shellcheck", version), 0o755),
  ]);
}

/** A release in tar.xz. */
export function shellcheck(version: string, packed: Buffer): Release {
  return {
    name: "shellcheck",
    file: `shellcheck-v${version}.linux.x86_64.tar.xz`,
    body: packed,
    entry: { version, binary: "shellcheck-v{version}/shellcheck", license: "GPL-3.0-or-later" },
  };
}

/** The same release with one byte of its file turned over, under the digest of the right one. */
export function flipped(body: Buffer): Buffer {
  const copy = Buffer.from(body);
  const last = copy.length - 1;
  copy[last] = (copy[last] ?? 0) ^ 1;
  return copy;
}
