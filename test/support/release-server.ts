import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

const DAY_MS = 86_400_000;

/** A file of a release. */
export interface ServedAsset {
  readonly bytes: string;
  /** Null for a server that knows none; another than the bytes' own for one that lies. */
  readonly digest?: string | null;
  readonly uploadedDaysAgo?: number;
}

/** A release as the API lists it; the latest first. */
export interface ServedRelease {
  readonly tag: string;
  readonly daysAgo?: number;
  readonly draft?: boolean;
  readonly prerelease?: boolean;
  readonly assets?: Readonly<Record<string, string | ServedAsset>>;
}

/** A tag as the API lists it. */
export interface ServedTag {
  readonly tag: string;
  readonly daysAgo?: number;
}

/** A request that came. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
}

/** A pull request that was opened. */
export interface ServedPull {
  readonly number: number;
  readonly state: "open" | "closed";
  readonly head: { readonly ref: string };
  readonly base: { readonly ref: string };
  title: string;
  body: string;
}

/** Answers a request itself; what it gives false for is answered as usual. */
export type Intercept = (request: IncomingMessage, response: ServerResponse, url: URL) => boolean;

/** An API of releases and pull requests on loopback, with the files it lists. */
export interface ReleaseServer extends AsyncDisposable {
  /** Root of the API, as --api takes it. */
  readonly api: string;
  /** Where the files lie; another path of the same server. */
  readonly files: string;
  readonly releases: Map<string, readonly ServedRelease[]>;
  readonly tags: Map<string, readonly ServedTag[]>;
  /** Further files, by their path on the server. */
  readonly others: Map<string, string>;
  readonly requests: SeenRequest[];
  readonly pulls: ServedPull[];
  intercept: Intercept;
}

/** SHA-256 of a text. */
export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Starts the server. */
export async function serveReleases(): Promise<ReleaseServer> {
  const state = {
    releases: new Map<string, readonly ServedRelease[]>(),
    tags: new Map<string, readonly ServedTag[]>(),
    others: new Map<string, string>(),
    requests: [] as SeenRequest[],
    pulls: [] as ServedPull[],
    intercept: (() => false) as Intercept,
  };
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", root);
    const { method = "GET" } = request;
    state.requests.push({
      method,
      path: url.pathname + url.search,
      authorization: request.headers.authorization,
    });
    if (state.intercept(request, response, url)) return;
    void answer(request, url).then(
      (given) => send(response, given),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const root = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const api = `${root}/api/v3`;
  const files = `${root}/files`;

  async function answer(request: IncomingMessage, url: URL): Promise<Given> {
    const path = decodeURIComponent(url.pathname);
    const other = state.others.get(path);
    if (other !== undefined) return { raw: other };
    if (path.startsWith("/files/")) return fileAt(path.slice("/files/".length));
    const [, repo = "", rest = ""] = /^\/api\/v3\/repos\/([^/]+\/[^/]+)(.*)$/.exec(path) ?? [];
    if (rest === "/releases")
      return page(
        state.releases.get(repo)?.map((each) => asRelease(repo, each)),
        url,
      );
    if (rest === "/tags") return page(state.tags.get(repo)?.map(asTag), url);
    if (rest.startsWith("/releases/tags/")) return releaseOf(repo, rest.slice("/releases/tags/".length));
    if (rest.startsWith("/commits/")) return commitOf(repo, rest.slice("/commits/".length));
    if (rest === "") return { json: { default_branch: "main" } };
    if (rest.startsWith("/pulls")) return await pull(request, url, repo, rest);
    return { status: 404, json: { message: "Not Found" } };
  }

  function page(all: readonly unknown[] | undefined, url: URL): Given {
    if (!all) return { status: 404, json: { message: "Not Found" } };
    const size = Number(url.searchParams.get("per_page") ?? 30);
    const number = Number(url.searchParams.get("page") ?? 1);
    const more = number * size < all.length;
    return {
      json: all.slice((number - 1) * size, number * size),
      ...(more && { headers: { link: `<${url.href}>; rel="next", <${url.href}>; rel="last"` } }),
    };
  }

  function asRelease(
    repo: string,
    { tag, daysAgo = 30, draft = false, prerelease = false, assets = {} }: ServedRelease,
  ) {
    return {
      tag_name: tag,
      draft,
      prerelease,
      published_at: draft ? null : ago(daysAgo),
      html_url: `https://example.org/${repo}/releases/tag/${tag}`,
      assets: Object.entries(assets).map(([name, given]) => {
        const asset: ServedAsset = typeof given === "string" ? { bytes: given } : given;
        const digest = asset.digest === undefined ? sha256(asset.bytes) : asset.digest;
        return {
          name,
          size: asset.bytes.length,
          digest: digest === null ? null : `sha256:${digest}`,
          updated_at: ago(asset.uploadedDaysAgo ?? daysAgo),
          uploader: { login: "release-bot[bot]" },
          browser_download_url: `${files}/${repo}/${tag}/${name}`,
        };
      }),
    };
  }

  function releaseOf(repo: string, tag: string): Given {
    const found = state.releases.get(repo)?.find((each) => each.tag === tag);
    return found ? { json: asRelease(repo, found) } : { status: 404, json: { message: "Not Found" } };
  }

  function commitOf(repo: string, sha: string): Given {
    const found = state.tags.get(repo)?.find(({ tag }) => sha256(tag).slice(0, 40) === sha);
    if (!found) return { status: 404, json: { message: "No commit found" } };
    return { json: { commit: { committer: { date: ago(found.daysAgo ?? 30) } } } };
  }

  function fileAt(path: string): Given {
    const [owner = "", name = "", tag = "", file = ""] = path.split("/");
    const asset = state.releases.get(`${owner}/${name}`)?.find((each) => each.tag === tag)?.assets?.[file];
    if (asset === undefined) return { status: 404, json: {} };
    return { raw: typeof asset === "string" ? asset : asset.bytes };
  }

  async function pull(request: IncomingMessage, url: URL, repo: string, rest: string): Promise<Given> {
    if (request.headers.authorization === undefined)
      return { status: 401, json: { message: "Requires authentication" } };
    if (request.method === "GET") {
      const head = url.searchParams.get("head");
      return {
        json: state.pulls.filter(
          (each) => each.state === "open" && `${repo.split("/")[0]}:${each.head.ref}` === head,
        ),
      };
    }
    const body = JSON.parse(await textOf(request)) as {
      title: string;
      body: string;
      head: string;
      base: string;
    };
    const number = Number(/^\/pulls\/(\d+)$/.exec(rest)?.[1] ?? Number.NaN);
    const open = state.pulls.find((each) => each.number === number);
    if (open) Object.assign(open, { title: body.title, body: body.body });
    const made: ServedPull = open ?? {
      number: state.pulls.length + 1,
      state: "open",
      head: { ref: body.head },
      base: { ref: body.base },
      title: body.title,
      body: body.body,
    };
    if (!open) state.pulls.push(made);
    return { status: open ? 200 : 201, json: { ...made, html_url: `${root}/${repo}/pull/${made.number}` } };
  }

  return Object.assign(state, {
    api,
    files,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

interface Given {
  readonly status?: number;
  readonly json?: unknown;
  readonly raw?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function send(response: ServerResponse, { status = 200, json, raw, headers = {} }: Given): void {
  const type = raw === undefined ? "application/json; charset=utf-8" : "application/octet-stream";
  response.writeHead(status, { "content-type": type, ...headers }).end(raw ?? JSON.stringify(json));
}

function asTag({ tag }: ServedTag) {
  return { name: tag, commit: { sha: sha256(tag).slice(0, 40) } };
}

function ago(days: number): string {
  return new Date(Date.now() - days * DAY_MS).toISOString();
}

async function textOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString();
}
