import { ProvisionError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import { pause as sleep } from "../core/until.ts";
import { openGate } from "./gate.ts";
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

/** The HTTP layer under an API client. */
export interface ApiFetch {
  readonly fetch: (url: string, init: ApiRequest) => Promise<Response>;
  /** False from the moment on that the token was refused. */
  readonly hasToken: () => boolean;
}

interface ApiRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

const mostWaits = 3;
const mostAttempts = 4;
const mostRedirects = 5;
const mostBytes = 64 * 1024 ** 2;

/**
 * The HTTP under an API client: sends the token to the API's own origin and nowhere else, goes on without one that
 * is refused, waits out short rate limits, and asks again after failures that pass. Gives answers whole.
 */
export function openApiFetch(options: ApiFetchOptions): ApiFetch {
  const { base, run, now = Date.now, pause = sleep } = options;
  const { origin } = new URL(base);
  const gate = openGate({ base, run, now, pause });
  let token = usableToken(options);
  let answered = false;

  /** Asks once: with the token, and without it when it is refused. */
  async function attempt(url: string, request: ApiRequest): Promise<Answer> {
    const used = token;
    const answer = await ask(url, request, { ...options, origin, token: used });
    if (answer.status !== 401 || !used) return answer;
    // Another request may have found out meanwhile.
    if (token === used) run.note(`${used.variable} is refused by ${origin}: going on without it`, "warning");
    token = undefined;
    return await attempt(url, request);
  }

  /** Asks, and waits out limits; gives why it failed where it may be asked again. */
  async function attemptInTurn(url: string, request: ApiRequest): Promise<Answer | Unanswered> {
    for (let waits = 0; ; waits += 1) {
      await gate.pass();
      try {
        const answer = await attempt(url, request);
        answered = true;
        const limit = limitWaitMs(answer, answer.text, now());
        if (limit === undefined || waits >= mostWaits) return answer;
        gate.closeFor(limit, token !== undefined);
      } catch (error) {
        run.signal.throwIfAborted();
        if (error instanceof ProvisionError) throw error;
        const reason = reasonOf(error);
        return {
          failed: new ProvisionError("API_UNREACHABLE", { api: base, reason }, { cause: error }),
          reason,
        };
      }
    }
  }

  async function fetchPatiently(url: string, request: ApiRequest): Promise<Response> {
    // What was asked for may have been done, though no answer came: only what may be done twice is asked twice.
    const attempts = request.method === "GET" || request.method === "PATCH" ? mostAttempts : 1;
    for (let tries = 1; ; tries += 1) {
      const answer = await attemptInTurn(url, request);
      const last = tries >= attempts;
      if ("failed" in answer) {
        // A server that has never answered will not do so for the next of forty tools.
        if (last && !answered) gate.shut(answer.failed);
        if (last) throw answer.failed;
      } else if (last || answer.status < 500) return answer.response();
      const reason = "failed" in answer ? answer.reason : `HTTP ${answer.status}`;
      run.progress(`${base}: ${reason}; asking again`);
      // Full jitter: many that lost one server do not come back to it in step.
      await pause(Math.random() * 1000 * 2 ** tries, run.signal);
    }
  }

  return { fetch: fetchPatiently, hasToken: () => token !== undefined };
}

interface Unanswered {
  readonly failed: ProvisionError;
  readonly reason: string;
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
      hops >= mostRedirects ||
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
    if (bytes > mostBytes) throw new Error(`the answer is larger than ${mostBytes / 1024 ** 2} MiB`);
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
