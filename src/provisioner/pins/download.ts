import type { Hash } from "node:crypto";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open, readFile, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

import type { Run } from "../core/run.ts";
import { pause as sleep } from "../core/until.ts";
import type { DigestKind } from "../local/kept-file.ts";
import { needSpace } from "../local/free-space.ts";

/** How one URL is fetched. */
export interface DownloadOptions {
  /** Where the bytes go; what is there already is gone on from. */
  readonly partial: string;
  readonly kind: DigestKind;
  readonly run: Run;
  /** A connection that brings nothing for this long is given up: 30 000 when left out. */
  readonly stallMs?: number;
  /** How often a server that fails may be asked: 5 when left out. */
  readonly attempts?: number;
  /** Waits between two attempts; for tests. */
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Instead of the built-in one. */
  readonly fetch?: typeof fetch;
}

/** A place that does not have the bytes, or kept failing. */
export class DownloadRefused extends Error {
  /** Asked for by the server, in milliseconds; `undefined` when asking again is of no use. */
  readonly retryAfterMs: number | undefined;

  constructor(reason: string, retryAfterMs?: number, options?: ErrorOptions) {
    super(reason, options);
    this.name = "DownloadRefused";
    this.retryAfterMs = retryAfterMs;
  }
}

const LONGEST_PAUSE_MS = 30_000;

/** Fetches a URL into a file, going on where it broke off, and gives the digest of the whole. */
export async function download(
  url: string,
  options: DownloadOptions,
): Promise<{ readonly hex: string; readonly resumed: boolean }> {
  const { run, attempts = 5, pause = sleep } = options;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await attemptDownload(url, options);
    } catch (error) {
      run.signal.throwIfAborted();
      if (!(error instanceof DownloadRefused) || error.retryAfterMs === undefined) throw error;
      if (attempt >= attempts)
        throw new DownloadRefused(`${error.message} (${attempts} attempts)`, undefined, { cause: error });
      // Full jitter: many machines that lost one server do not come back to it in step.
      const backOff = Math.random() * Math.min(500 * 2 ** attempt, LONGEST_PAUSE_MS);
      run.progress(`${error.message}; trying again`);
      await pause(Math.min(Math.max(error.retryAfterMs, backOff), LONGEST_PAUSE_MS), run.signal);
    }
  }
}

async function attemptDownload(
  url: string,
  options: DownloadOptions,
): Promise<{ readonly hex: string; readonly resumed: boolean }> {
  const { partial, kind, run, stallMs = 30_000 } = options;
  const have = await whatIsThere(partial, url);
  using stall = stallGuard(stallMs, run.signal);
  const response = await ask(url, have, stall.signal, options.fetch);
  // The server says that what is there is all, or more than all.
  if (response.status === 416) {
    await rm(partial, { force: true });
    throw new DownloadRefused("cannot go on where it broke off", 0);
  }
  const resumed = response.status === 206 && startOf(response) === have.size;
  const hash = createHash(kind);
  if (resumed) await feed(hash, partial);
  const already = resumed ? have.size : 0;
  const length = Number(response.headers.get("content-length") ?? Number.NaN);
  const total = Number.isNaN(length) ? undefined : already + length;
  if (total !== undefined) await needSpace(dirname(partial), total - already, `the download of ${url}`);
  await writeValidator(partial, url, response.headers);
  const file = await open(partial, resumed ? "a" : "w");
  try {
    await receive(response, { file, hash, already, total, run, beat: stall.beat });
  } finally {
    await file.close();
  }
  return { hex: hash.digest("hex"), resumed };
}

/** Sends the request; throws DownloadRefused for an answer without the bytes. */
async function ask(
  url: string,
  have: Start,
  signal: AbortSignal,
  fetchWith: typeof fetch = fetch,
): Promise<Response> {
  const response = await fetchWith(url, {
    signal,
    headers: {
      // Compression on the way would be undone on arrival, and ranges would count other bytes than we do.
      "accept-encoding": "identity",
      ...(have.size > 0 && have.validator && { range: `bytes=${have.size}-`, "if-range": have.validator }),
    },
  }).catch((error: unknown) => {
    throw broken(error, signal);
  });
  if (response.status === 200 || response.status === 206 || response.status === 416) return response;
  await response.body?.cancel();
  const passing = response.status >= 500 || response.status === 429 || response.status === 408;
  throw new DownloadRefused(
    `HTTP ${response.status} ${response.statusText}`.trim(),
    passing ? retryAfter(response.headers) : undefined,
  );
}

async function receive(
  response: Response,
  to: {
    readonly file: FileHandle;
    readonly hash: Hash;
    readonly already: number;
    readonly total: number | undefined;
    readonly run: Run;
    readonly beat: () => AbortSignal;
  },
): Promise<void> {
  const { file, hash, total, run } = to;
  let bytes = to.already;
  let said = -Infinity;
  const body = response.body?.getReader();
  if (!body) throw new DownloadRefused("the answer has no body", 0);
  for (;;) {
    const signal = to.beat();
    const { value, done } = await body.read().catch((error: unknown) => {
      throw broken(error, signal);
    });
    if (done) break;
    hash.update(value);
    await file.write(value);
    bytes += value.length;
    // Four times a second is more than an eye can follow.
    if (run.now() - said < 250) continue;
    said = run.now();
    run.progress(...describe(bytes, total));
  }
  if (total !== undefined && bytes !== total)
    throw new DownloadRefused(`broke off after ${bytes} of ${total} bytes`, 0);
}

function describe(bytes: number, total: number | undefined): [string, number?] {
  if (total === undefined) return [`${mib(bytes)} MiB`];
  return [`${mib(bytes)} of ${mib(total)} MiB`, bytes / total];
}

function mib(bytes: number): string {
  return (bytes / 1024 ** 2).toFixed(1);
}

interface Start {
  readonly size: number;
  /** A strong ETag or a date: only with one of them may a server's bytes be put behind ours. */
  readonly validator: string | undefined;
}

async function whatIsThere(partial: string, url: string): Promise<Start> {
  try {
    const { size } = await stat(partial);
    const record = JSON.parse(await readFile(`${partial}.json`, "utf8")) as {
      url: string;
      validator?: string;
    };
    return { size, validator: record.url === url ? record.validator : undefined };
  } catch {
    // Nothing there, or nothing that can be read: the download starts at its beginning.
    return { size: 0, validator: undefined };
  }
}

async function writeValidator(partial: string, url: string, headers: Headers): Promise<void> {
  const etag = headers.get("etag");
  const validator = (etag?.startsWith('"') ? etag : undefined) ?? headers.get("last-modified") ?? undefined;
  await writeFile(`${partial}.json`, JSON.stringify({ url, validator }));
}

/** First byte of a 206, as its Content-Range says. */
function startOf(response: Response): number | undefined {
  const start = /^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "")?.[1];
  return start === undefined ? undefined : Number(start);
}

async function feed(hash: Hash, path: string): Promise<void> {
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 }))
    hash.update(chunk as Buffer);
}

/** Seconds or a date (RFC 9110 §10.2.3), in milliseconds from now; 0 when the server asks for nothing. */
function retryAfter(headers: Headers): number {
  const value = headers.get("retry-after");
  if (value === null) return 0;
  const seconds = Number(value);
  const ms = Number.isNaN(seconds) ? Date.parse(value) - Date.now() : seconds * 1000;
  return Number.isNaN(ms) ? 0 : Math.max(ms, 0);
}

/** A signal that fires when nothing was heard for a while; `beat` says that something was. */
function stallGuard(
  stallMs: number,
  stopped: AbortSignal,
): Disposable & {
  readonly signal: AbortSignal;
  readonly beat: () => AbortSignal;
} {
  const stalled = new AbortController();
  const signal = AbortSignal.any([stalled.signal, stopped]);
  const timer = setTimeout(() => stalled.abort(new Error(`no byte came for ${stallMs / 1000} s`)), stallMs);
  return {
    signal,
    beat: () => {
      timer.refresh();
      return signal;
    },
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}

/** What a broken connection is called: undici hides the reason in `cause`. */
function broken(error: unknown, signal: AbortSignal): DownloadRefused {
  const told = signal.aborted ? signal.reason : error;
  const reason = told instanceof Error ? told : new Error(String(told));
  const cause = reason.cause instanceof Error ? `: ${reason.cause.message}` : "";
  return new DownloadRefused(`${reason.message}${cause}`, 0, { cause: error });
}
