import { ProvisionError } from "../core/errors.ts";
import type { Api } from "./api.ts";

/** A file of a release. */
export interface Asset {
  readonly name: string;
  readonly url: string;
  readonly size: number | undefined;
  /** SHA-256 as lower-case hex, where the API knows it. */
  readonly sha256: string | undefined;
  /** Milliseconds since 1970. */
  readonly uploadedAt: number | undefined;
  readonly uploader: string | undefined;
}

/** A release, or a tag where versions are listed by tags. */
export interface Release {
  readonly tag: string;
  /** False for what upstream itself calls a prerelease. */
  readonly stable: boolean;
  /** Milliseconds since 1970; of a tag it is asked for when it is needed. */
  readonly publishedAt: number | undefined;
  /** The page of the release, for people. */
  readonly link: string | undefined;
  /** Empty for a tag. */
  readonly assets: readonly Asset[];
  /** Of a tag. */
  readonly commit: string | undefined;
}

/** Where versions are listed. */
export interface ReleaseSource {
  readonly repo: string;
  readonly kind: "releases" | "tags";
}

const mostPages = 20;

/**
 * Reads what a repository has released. Releases come the latest first, so reading ends with the page that has the
 * one for which `found` holds; tags come in no order of use, so all are read. `whole` says that none is left unread.
 */
export async function listReleases(
  api: Api,
  source: ReleaseSource,
  found: (release: Release) => boolean,
): Promise<{ readonly releases: readonly Release[]; readonly whole: boolean }> {
  const { repo, kind } = source;
  const releases: Release[] = [];
  for (let page = 1; page <= mostPages; page += 1) {
    // A release with a hundred files weighs 200 kB: pages of releases are kept small.
    const parameters = { ...ownerAndRepo(repo), per_page: kind === "tags" ? 100 : 30, page };
    const answer = await api.look(`/repos/{owner}/{repo}/${kind}`, parameters);
    if (!answer) throw noRepository(api, repo);
    if (!Array.isArray(answer.data)) throw misformed(api, repo, `a list of ${kind}`);
    const read = kind === "tags" ? readTag : readRelease;
    const some = answer.data.map(read).filter((each) => each !== undefined);
    releases.push(...some);
    if (!answer.more) return { releases, whole: true };
    if (kind === "releases" && some.some(found)) break;
  }
  return { releases, whole: false };
}

/** The files of the release with a tag; `undefined` when there is no such release. */
export async function releaseOfTag(api: Api, repo: string, tag: string): Promise<Release | undefined> {
  const answer = await api.look("/repos/{owner}/{repo}/releases/tags/{tag}", { ...ownerAndRepo(repo), tag });
  return answer && readRelease(answer.data);
}

/** When a commit was made. */
export async function commitDate(api: Api, repo: string, commit: string): Promise<number | undefined> {
  const answer = await api.look("/repos/{owner}/{repo}/commits/{commit}", { ...ownerAndRepo(repo), commit });
  return dateAt(fieldAt(fieldAt(fieldAt(answer?.data, "commit"), "committer"), "date"));
}

/** "owner/name", apart. */
export function ownerAndRepo(text: string): { readonly owner: string; readonly repo: string } {
  const [owner = "", repo = ""] = text.split("/");
  return { owner, repo };
}

/** A field of something foreign. */
export function fieldAt(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** A field of something foreign, when it is a text. */
export function textAt(value: unknown, name: string): string | undefined {
  const field = fieldAt(value, name);
  return typeof field === "string" ? field : undefined;
}

/** Drafts are nothing yet. */
function readRelease(value: unknown): Release | undefined {
  const tag = textAt(value, "tag_name");
  if (tag === undefined || fieldAt(value, "draft") === true) return undefined;
  const assets = fieldAt(value, "assets");
  return {
    tag,
    stable: fieldAt(value, "prerelease") !== true,
    publishedAt: dateAt(fieldAt(value, "published_at")),
    link: textAt(value, "html_url"),
    assets: Array.isArray(assets) ? assets.map(readAsset).filter((each) => each !== undefined) : [],
    commit: undefined,
  };
}

function readAsset(value: unknown): Asset | undefined {
  const [name, url] = [textAt(value, "name"), textAt(value, "browser_download_url")];
  if (name === undefined || url === undefined || !/^https?:\/\//.test(url)) return undefined;
  const size = fieldAt(value, "size");
  return {
    name,
    url,
    size: typeof size === "number" ? size : undefined,
    sha256: /^sha256:([0-9a-f]{64})$/i.exec(textAt(value, "digest") ?? "")?.[1]?.toLowerCase(),
    uploadedAt: dateAt(fieldAt(value, "updated_at") ?? fieldAt(value, "created_at")),
    uploader: textAt(fieldAt(value, "uploader"), "login"),
  };
}

function readTag(value: unknown): Release | undefined {
  const tag = textAt(value, "name");
  if (tag === undefined) return undefined;
  const commit = textAt(fieldAt(value, "commit"), "sha");
  return { tag, stable: true, publishedAt: undefined, link: undefined, assets: [], commit };
}

function dateAt(value: unknown): number | undefined {
  const ms = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}

function noRepository({ base, hasToken }: Api, repo: string): ProvisionError {
  const reason = `there is no "${repo}"${hasToken() ? ", or the token may not see it" : " that can be seen without a token"}`;
  return new ProvisionError("API_REFUSED", { what: `GET ${base}/repos/${repo}`, reason });
}

function misformed({ base }: Api, repo: string, wanted: string): ProvisionError {
  const reason = `the answer must be ${wanted}, is something else`;
  return new ProvisionError("API_REFUSED", { what: `GET ${base}/repos/${repo}`, reason });
}
