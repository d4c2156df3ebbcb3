import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, readFile, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

import type { Run } from "../core/run.ts";
import { pause as sleep } from "../core/until.ts";
import { fullDisk, needSpace } from "../local/free-space.ts";
import type { DigestKind } from "../local/kept-file.ts";
import { ask } from "./ask.ts";
import { broken, DownloadRefused } from "./download-refused.ts";
import type { Fetch } from "./http.ts";
import { shownUrl } from "./place.ts";
import { guardStall, type StallGuard } from "./stall-guard.ts";
import { transferProgress } from "./transfer-progress.ts";
import { writeHashed } from "./write-hashed.ts";

/** How one URL is fetched. */
export interface DownloadOptions {
  /** Where the bytes go; what is there already is gone on from. */
  readonly partial: string;
  readonly kind: DigestKind;
  readonly run: Run;
  /** The built-in one when left out; `fetchFor` makes one that knows proxies. */
  readonly fetch?: Fetch | undefined;
  /** A connection that brings nothing for this long is given up: 30 000 when left out. */
  readonly stallMs?: number;
  /** How often a server that fails may be asked: 5 when left out. */
  readonly attempts?: number;
  /** Waits between two attempts; for tests. */
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** A whole file that came. */
export interface Downloaded {
  readonly hex: string;
  /** Some of it had come earlier. */
  readonly resumed: boolean;
}

const longestPauseMs = 30_000;
/** An answer that does not say how long it is may not fill the disk. */
const mostUnsaidBytes = 16 * 1024 ** 3;

/** Fetches a URL into a file, going on where it broke off, and gives the digest of the whole. */
export async function download(url: string, options: DownloadOptions): Promise<Downloaded> {
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
      const backOff = Math.random() * Math.min(500 * 2 ** attempt, longestPauseMs);
      run.progress(`${error.message}; trying again`);
      await pause(Math.min(Math.max(error.retryAfterMs, backOff), longestPauseMs), run.signal);
    }
  }
}

async function attemptDownload(url: string, options: DownloadOptions): Promise<Downloaded> {
  const { partial, kind, run, stallMs = 30_000 } = options;
  // Looked up for each request: tests and tracers replace it.
  const { fetch = globalThis.fetch } = options;
  const have = await whatIsThere(partial, url);
  using stall = guardStall(stallMs, run.signal);
  const response = await ask(url, { fetch, headers: headersFor(have), signal: stall.signal });
  const { start } = rangeOf(response);
  // 416: the server says that what is there is all, or more than all.
  if (response.status === 416 || (response.status === 206 && start !== have.size)) {
    await response.body?.cancel();
    await rm(partial, { force: true });
    throw new DownloadRefused("cannot go on where it broke off", 0);
  }
  const resumed = response.status === 206;
  const hash = createHash(kind);
  const already = resumed ? have.size : 0;
  if (resumed) await feed(hash, partial);
  const total = totalOf(response, already);
  const what = `the download of ${shownUrl(url)}`;
  if (total !== undefined) await needSpace(dirname(partial), total - already, what);
  await writeValidator(partial, url, response.headers);
  const file = await open(partial, resumed ? "a" : "w");
  try {
    await writeHashed(receive(response, { already, total, run, stall }), { file, hash });
  } catch (error) {
    throw await fullDisk(error, { path: dirname(partial), bytes: total ?? already, what });
  } finally {
    await file.close();
  }
  return { hex: hash.digest("hex"), resumed };
}

/** The bytes of an answer, as long as they come and are not more than it said. */
async function* receive(
  response: Response,
  from: {
    readonly already: number;
    readonly total: number | undefined;
    readonly run: Run;
    readonly stall: StallGuard;
  },
): AsyncGenerator<Uint8Array> {
  const { total, run, stall } = from;
  const say = transferProgress(run, total);
  let bytes = from.already;
  const body = response.body?.getReader();
  if (!body) throw new DownloadRefused("the answer has no body", 0);
  try {
    for (;;) {
      const { value, done } = await body.read().catch((error: unknown) => {
        throw broken(error, stall.signal);
      });
      if (done) break;
      stall.beat();
      bytes += value.length;
      if (bytes > (total ?? mostUnsaidBytes))
        throw new DownloadRefused(`sent more than ${total ?? mostUnsaidBytes} bytes`);
      say(bytes);
      yield value;
    }
  } finally {
    // Whoever stops reading early must not leave the connection open; one that broke says so a second time.
    await body.cancel().catch(() => {});
  }
  if (total !== undefined && bytes < total)
    throw new DownloadRefused(`broke off after ${bytes} of ${total} bytes`, 0);
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
    return { size, validator: record.url === shownUrl(url) ? record.validator : undefined };
  } catch {
    // Nothing there, or nothing that can be read: the download starts at its beginning.
    return { size: 0, validator: undefined };
  }
}

function headersFor({ size, validator }: Start): Readonly<Record<string, string>> {
  // Compression on the way would be undone on arrival, and ranges would count other bytes than we do.
  const plain = { "accept-encoding": "identity" };
  if (size === 0 || validator === undefined) return plain;
  return { ...plain, range: `bytes=${size}-`, "if-range": validator };
}

async function writeValidator(partial: string, url: string, headers: Headers): Promise<void> {
  const etag = headers.get("etag");
  const validator = (etag?.startsWith('"') ? etag : undefined) ?? headers.get("last-modified") ?? undefined;
  await writeFile(`${partial}.json`, JSON.stringify({ url: shownUrl(url), validator }));
}

/** First byte and whole size of a 206, as its Content-Range says; 0 and nothing for any other answer. */
function rangeOf({ status, headers }: Response): {
  readonly start: number | undefined;
  readonly size: number | undefined;
} {
  if (status !== 206) return { start: 0, size: undefined };
  const [, start, size] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get("content-range") ?? "") ?? [];
  return {
    start: start === undefined ? undefined : Number(start),
    size: size === undefined || size === "*" ? undefined : Number(size),
  };
}

/** Bytes of the whole file, when the server says. */
function totalOf(response: Response, already: number): number | undefined {
  const { size } = rangeOf(response);
  const length = response.headers.get("content-length");
  return size ?? (length === null ? undefined : already + Number(length));
}

async function feed(hash: Hash, path: string): Promise<void> {
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 }))
    hash.update(chunk as Buffer);
}

/** Removes what came, and the record of it. */
export async function forget(partial: string): Promise<void> {
  await rm(partial, { force: true });
  await rm(`${partial}.json`, { force: true });
}
