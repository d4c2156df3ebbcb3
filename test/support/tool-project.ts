import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { stringify } from "yaml";

/** A release of a tool, as a mirror serves it. */
export interface Release {
  readonly name: string;
  /** Its entry in versions.yaml, without digests. */
  readonly entry: Readonly<Record<string, unknown>>;
  readonly file: string;
  readonly body: Buffer;
}

/** A folder with a versions.yaml of its own, and the mirror that has its files. */
export interface ToolProject extends AsyncDisposable {
  /** For PROVISION_HOME. */
  readonly home: string;
  /** Beginning of the URLs of its files. */
  readonly url: string;
  /** What the mirror has, by the name of the file. */
  readonly files: Map<string, Buffer>;
  /** The files that were asked for. */
  readonly requests: string[];
  /** Answers instead of the mirror when it gives true. */
  intercept: (request: IncomingMessage, response: import("node:http").ServerResponse) => boolean;
  /** Further sections of its versions.yaml, beside the tools. */
  sections: Readonly<Record<string, unknown>>;
  /** Pins these releases, and nothing else. */
  pin(...releases: readonly Release[]): Promise<void>;
}

/** Opens one on a free port, of the loopback when no address is given. */
export async function openToolProject(address = "127.0.0.1"): Promise<ToolProject> {
  const home = await mkdtemp(join(tmpdir(), "provision-tools-"));
  const files = new Map<string, Buffer>();
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const name = decodeURIComponent(request.url?.split("/").at(-1) ?? "");
    requests.push(name);
    if (project.intercept(request, response)) return;
    const body = files.get(name);
    response.writeHead(body ? 200 : 404, { "content-length": body?.length ?? 0 }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const project: ToolProject = {
    home,
    url,
    files,
    requests,
    intercept: () => false,
    sections: { bases: {} },
    async pin(...releases) {
      const tools = Object.fromEntries(releases.map((release) => [release.name, entryOf(release, url)]));
      for (const { file, body } of releases) files.set(file, body);
      const mirrors = [{ of: "https://github.com/", use: [`${url}/`] }];
      await mkdir(home, { recursive: true });
      await writeFile(join(home, "versions.yaml"), stringify({ mirrors, ...project.sections, tools }));
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(home, { recursive: true, force: true });
    },
  };
  return project;
}

function entryOf({ entry, file, body }: Release, url: string): unknown {
  const sha256 = createHash("sha256").update(body).digest("hex");
  // Its own URL, so that nothing but the mirror is ever asked; a release of a repository goes by `mirrors`.
  const place = entry["repo"] === undefined ? { url: `${url}/${file}` } : { artifact: file };
  return { sha256: { x86_64: sha256, aarch64: sha256 }, ...entry, ...place };
}
