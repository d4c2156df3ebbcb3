import { broken, DownloadRefused } from "./download-refused.ts";
import type { Fetch } from "./http.ts";
import { placeOf, shownTarget } from "./place.ts";

/** A request for one file. */
export interface Asking {
  readonly fetch: Fetch;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

const mostRedirects = 10;

/**
 * Asks for a file and gives an answer that has bytes of it, or 416. Redirects are followed here, because fetch would
 * follow them from https down to http. Throws DownloadRefused for any other answer.
 */
export async function ask(text: string, { fetch, headers, signal }: Asking): Promise<Response> {
  const { url: first, authorization } = placeOf(text);
  let url = first;
  for (let redirects = 0; redirects <= mostRedirects; redirects += 1) {
    const secret = authorization !== undefined && url.origin === first.origin ? { authorization } : {};
    const response = await fetch(url.href, {
      headers: { ...headers, ...secret },
      redirect: "manual",
      signal,
    }).catch((error: unknown) => {
      throw broken(error, signal);
    });
    const { status } = response;
    if (status === 200 || status === 206 || status === 416) return response;
    await response.body?.cancel();
    const location = response.headers.get("location");
    if (status < 300 || status > 399 || location === null) throw refusal(response);
    url = redirected(url, location);
  }
  throw new DownloadRefused(`redirected more than ${mostRedirects} times`);
}

function redirected(from: URL, location: string): URL {
  if (!URL.canParse(location, from.href)) throw new DownloadRefused("redirected to something that is no URL");
  // What a redirect says of user and password is nobody's to use.
  const { url } = placeOf(new URL(location, from).href);
  const { protocol } = url;
  if (protocol === "https:" || protocol === from.protocol) return url;
  throw new DownloadRefused(
    `redirected from ${from.protocol.slice(0, -1)} to ${protocol.slice(0, -1)} (${shownTarget(url)})`,
  );
}

function refusal({ status, statusText, headers }: Response): DownloadRefused {
  const passing = status >= 500 || status === 429 || status === 408;
  return new DownloadRefused(
    // Undici's answers through a proxy have no text.
    ["HTTP", status, statusText].filter(Boolean).join(" "),
    passing ? retryAfterMs(headers) : undefined,
  );
}

/** Seconds or a date (RFC 9110 §10.2.3), in milliseconds from now; 0 when the server asks for nothing. */
function retryAfterMs(headers: Headers): number {
  const value = headers.get("retry-after");
  if (value === null) return 0;
  const seconds = Number(value);
  const ms = Number.isNaN(seconds) ? Date.parse(value) - Date.now() : seconds * 1000;
  return Number.isNaN(ms) ? 0 : Math.max(ms, 0);
}
