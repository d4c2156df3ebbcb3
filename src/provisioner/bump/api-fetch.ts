import { ProvisionError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import { pause as sleep } from "../core/until.ts";
import { limitWaitMs } from "./rate-limit.ts";

/** A token, and the variable it came from. */
export interface Token {
  readonly variable: string;
  readonly value: string;
}

/** How an API is asked. */
export interface ApiFetchOptions {
  /** Root of the API, without a slash at its end. */
  readonly base: string;
  readonly token: Token | undefined;
  readonly fetch: typeof fetch;
  readonly run: Run;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** A request without an answer for this long is given up: 30 000 when left out. */
  readonly timeoutMs?: number;
}

/** How the HTTP layer under an API client is called. */
export type ApiFetch = (url: string, init: ApiRequest) => Promise<Response>;

interface ApiRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

const LONGEST_WAIT_MS = 60_000;
const MOST_WAITS = 3;
const MOST_ATTEMPTS = 4;
const MOST_REDIRECTS = 5;
const MOST_BYTES = 64 * 1024 ** 2;

/**
 * The HTTP under an API client: sends the token to the API's own origin and nowhere else, goes on without one that
 * is refused, waits out short rate limits, and asks again after failures that pass. Gives answers whole.
 */
export function openApiFetch(options: ApiFetchOptions): ApiFetch {
  const { base, run, now = Date.now, pause = sleep } = options;
  const { origin } = new URL(base);
  let token = usableToken(options);
  let closedUntil = 0;
  let limited: ProvisionError | undefined;

  async function pass(): Promise<void> {
    for (;;) {
      if (limited) throw limited;
      const ms = closedUntil - now();
      if (ms <= 0) return;
      await pause(ms, run.signal);
    }
  }

  /** All requests share one limit: one that meets it closes the way for all. */
  function close(ms: number): void {
    const until = now() + ms;
    const seconds = Math.ceil(ms / 1000);
    if (ms > LONGEST_WAIT_MS) {
      limited = new ProvisionError("API_LIMITED", {
        api: base,
        until: new Date(until).toISOString().replace(/\.\d+Z$/, "Z"),
        token: token !== undefined,
      });
      throw limited;
    }
    if (until > closedUntil) run.note(`${base} asks to wait ${seconds} s`);
    closedUntil = Math.max(closedUntil, until);
  }

  async function attempt(url: string, request: ApiRequest): Promise<Answer> {
    const used = token;
    const answer = await ask(url, request, { ...options, origin, token: used });
    if (answer.status !== 401 || !used) return answer;
    // Another request may have found out meanwhile.
    if (token === used) run.note(`${used.variable} is refused by ${origin}: going on without it`, "warning");
    token = undefined;
    return await attempt(url, request);
  }

  return async (url, request) => {
    let waits = 0;
    for (let tries = 1; ; tries += 1) {
      await pass();
      const last = tries >= MOST_ATTEMPTS || (request.method !== "GET" && request.method !== "PATCH");
      let failed: string;
      try {
        const answer = await attempt(url, request);
        const limit = limitWaitMs(answer, answer.text, now());
        if (limit !== undefined && waits < MOST_WAITS) {
          close(limit);
          waits += 1;
          tries -= 1;
          continue;
        }
        if (answer.status < 500 || last) return answer.response();
        failed = `HTTP ${answer.status}`;
      } catch (error) {
        run.signal.throwIfAborted();
        if (error instanceof ProvisionError) throw error;
        failed = reasonOf(error);
        if (last)
          throw new ProvisionError("API_UNREACHABLE", { api: base, reason: failed }, { cause: error });
      }
      run.progress(`${base}: ${failed}; asking again`);
      // Full jitter: many that lost one server do not come back to it in step.
      await pause(Math.random() * 1000 * 2 ** tries, run.signal);
    }
  };
}

/** A token is worth nothing on an open wire, where anybody could take it. */
function usableToken({ base, token, run }: ApiFetchOptions): Token | undefined {
  const { protocol, hostname } = new URL(base);
  if (!token || protocol === "https:" || /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname))
    return token;
  run.note(`${token.variable} is not sent to ${base}, which is not https`, "warning");
  return undefined;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  response(): Response;
}

async function ask(
  url: string,
  request: ApiRequest,
  options: ApiFetchOptions & { readonly origin: string },
): Promise<Answer> {
  const { origin, token, run, timeoutMs = 30_000 } = options;
  const signal = AbortSignal.any([run.signal, AbortSignal.timeout(timeoutMs)]);
  let target = new URL(url);
  for (let hops = 0; ; hops += 1) {
    const own = token !== undefined && target.origin === origin;
    const headers = { ...request.headers, ...(own && { authorization: `Bearer ${token.value}` }) };
    const { method, body = null } = request;
    const response = await options.fetch(target, { method, body, headers, signal, redirect: "manual" });
    const next = redirectOf(response, target);
    if (next === undefined) return await whole(response);
    await response.body?.cancel();
    if (
      hops >= MOST_REDIRECTS ||
      method !== "GET" ||
      (target.protocol === "https:" && next.protocol !== "https:")
    )
      throw new ProvisionError("API_REFUSED", {
        what: `${method} ${target.pathname}`,
        reason: `it redirects to ${next.origin}, which is not followed`,
      });
    target = next;
  }
}

function redirectOf({ status, headers }: Response, from: URL): URL | undefined {
  const location = headers.get("location");
  return [301, 302, 303, 307, 308].includes(status) && location !== null
    ? new URL(location, from)
    : undefined;
}

/** Reads the body here, where a broken connection is seen: an API client takes half a body for a text. */
async function whole(response: Response): Promise<Answer> {
  const { status, headers, statusText } = response;
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += piece.length;
    if (bytes > MOST_BYTES) throw new Error(`the answer is larger than ${MOST_BYTES / 1024 ** 2} MiB`);
    pieces.push(piece);
  }
  const text = Buffer.concat(pieces).toString();
  const empty = status === 204 || status === 205 || status === 304;
  return {
    status,
    headers,
    text,
    response: () => new Response(empty ? null : text, { status, statusText, headers }),
  };
}

/** What a broken connection is called: undici hides the reason in `cause`. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
