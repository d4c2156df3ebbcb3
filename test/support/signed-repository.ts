import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { execa } from "execa";

/** A package of ours. */
export interface SomePackage {
  readonly name: string;
  readonly version: string;
  /** By path from the root, without the first slash. A text that begins with #! becomes a program. */
  readonly files: Readonly<Record<string, string>>;
  /** More fields of its control file: `Depends: …`. */
  readonly fields?: readonly string[];
}

/** How it behaves: as it should, with somebody else's key, with somebody else's signature, or not at all. */
export type RepositoryMode = "right" | "other-key" | "other-signature" | "unreachable";

/** A package repository of ours, signed by a key that nobody keeps. */
export interface SignedRepository extends AsyncDisposable {
  /** Whatever stands between it and `dists/` or `pool/` is ignored, so that any layout of a vendor's fits. */
  readonly url: string;
  readonly keyUrl: string;
  /** The armoured key, and its fingerprint. */
  readonly key: string;
  readonly fingerprint: string;
  /** The paths that were asked for. */
  readonly requests: string[];
  mode: RepositoryMode;
  /** Puts these packages in the place of what it had. */
  publish(...packages: readonly SomePackage[]): Promise<void>;
}

/** Opens one with one release, and the same packages as a flat one; on every address for guests (0.0.0.0). */
export async function openSignedRepository({
  address = "127.0.0.1",
  codename = "trixie",
}: { readonly address?: string; readonly codename?: string } = {}): Promise<SignedRepository> {
  const dir = await mkdtemp(join(tmpdir(), "provision-repo-"));
  const [right, other] = await Promise.all([makeKey(join(dir, "right")), makeKey(join(dir, "other"))]);
  const files = new Map<string, Buffer>();
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://here").pathname;
    requests.push(path);
    if (repository.mode === "unreachable") {
      request.socket.destroy();
      return;
    }
    const body = files.get(placeOf(path, repository.mode));
    response.writeHead(body ? 200 : 404, { "content-length": body?.length ?? 0 }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  files.set("right/key", Buffer.from(right.text)).set("other-key/key", Buffer.from(other.text));
  const repository: SignedRepository = {
    url,
    keyUrl: `${url}/key`,
    key: right.text,
    fingerprint: right.fingerprint,
    requests,
    mode: "right",
    async publish(...packages) {
      const entries = await Promise.all(packages.map((each) => makeDeb(each, dir)));
      for (const { path, body } of entries) files.set(path, body);
      const list = Buffer.from(entries.map(({ entry }) => `${entry}\n`).join(""));
      for (const [place, listPath] of [
        ["dists", "main/binary-amd64/Packages"],
        ["flat", "Packages"],
      ] as const) {
        files.set(`${place}/${listPath}`, list);
        const release = releaseText(codename, listPath, list);
        for (const [mode, { home }] of [
          ["right", right],
          ["other-signature", other],
        ] as const)
          files.set(`${mode}/${place}/InRelease`, await signed(release, home));
      }
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      // Each home has an agent, which would outlive the test.
      for (const { home } of [right, other]) await execa("gpgconf", ["--homedir", home, "--kill", "all"]);
      await rm(dir, { recursive: true, force: true });
    },
  };
  await repository.publish();
  return repository;
}

/** Where in `files` the answer to a path is. */
function placeOf(path: string, mode: RepositoryMode): string {
  if (path === "/key") return mode === "other-key" ? "other-key/key" : "right/key";
  const [pool] = /pool\/.*$/.exec(path) ?? [];
  if (pool !== undefined) return pool;
  const [, below] = /\/dists\/[^/]+\/(.*)$/.exec(path) ?? [];
  const place = below === undefined ? `flat/${path.split("/").at(-1)}` : `dists/${below}`;
  if (!place.endsWith("/InRelease")) return place;
  return `${mode === "other-signature" ? mode : "right"}/${place}`;
}

interface Key {
  readonly home: string;
  readonly text: string;
  readonly fingerprint: string;
}

async function makeKey(home: string): Promise<Key> {
  await mkdir(home, { mode: 0o700 });
  const gpg = (...args: readonly string[]) =>
    execa("gpg", ["--homedir", home, "--batch", "--quiet", ...args]);
  const who = "Packages <packages@example.org>";
  await gpg("--passphrase", "", "--quick-generate-key", who, "ed25519", "sign", "never");
  const { stdout: text } = await gpg("--armor", "--export");
  const { stdout: listing } = await gpg("--with-colons", "--list-keys");
  const [, fingerprint = ""] = /^fpr:+([0-9A-F]{40}):$/m.exec(listing) ?? [];
  return { home, text: `${text}\n`, fingerprint };
}

async function signed(text: string, home: string): Promise<Buffer> {
  const argv = ["--homedir", home, "--batch", "--quiet", "--digest-algo", "SHA512", "--clearsign"];
  const { stdout } = await execa("gpg", argv, { input: text });
  return Buffer.from(`${stdout}\n`);
}

function releaseText(codename: string, path: string, list: Buffer): string {
  return [
    "Origin: Tests",
    `Suite: ${codename}`,
    `Codename: ${codename}`,
    `Date: ${new Date().toUTCString()}`,
    "Architectures: amd64",
    "Components: main",
    "SHA256:",
    ` ${sha256(list)} ${list.length} ${path}`,
    "",
  ].join("\n");
}

async function makeDeb(
  { name, version, files, fields = [] }: SomePackage,
  dir: string,
): Promise<{ readonly path: string; readonly body: Buffer; readonly entry: string }> {
  const tree = await mkdtemp(join(dir, "tree-"));
  // dpkg unpacks what is in the package with the mode that it has there: everybody enters it.
  await chmod(tree, 0o755);
  const control = [
    `Package: ${name}`,
    `Version: ${version}`,
    "Architecture: amd64",
    "Maintainer: Tests <packages@example.org>",
    ...fields,
    "Description: A package of the tests",
    "",
  ].join("\n");
  const all = { "DEBIAN/control": control, ...files };
  for (const [path, text] of Object.entries(all)) {
    await mkdir(dirname(join(tree, path)), { recursive: true, mode: 0o755 });
    await writeFile(join(tree, path), text, { mode: text.startsWith("#!") ? 0o755 : 0o644 });
  }
  const path = `pool/${name}_${version}_amd64.deb`;
  const file = join(dir, `${name}.deb`);
  await execa("dpkg-deb", ["--root-owner-group", "--build", tree, file]);
  await rm(tree, { recursive: true });
  const body = await readFile(file);
  const entry = `${control}Filename: ${path}\nSize: ${body.length}\nSHA256: ${sha256(body)}\n`;
  return { path, body, entry };
}

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
