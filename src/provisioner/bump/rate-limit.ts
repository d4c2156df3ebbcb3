/** What GitHub asks for when it limits without saying for how long. */
const unsaidMs = 60_000;

/**
 * How long an answer asks us to wait, in milliseconds; `undefined` when it is a refusal of another kind.
 * GitHub limits with 403 as well as with 429, by Retry-After or by the time at which the count starts anew.
 */
export function limitWaitMs(
  response: { readonly status: number; readonly headers: Headers },
  text: string,
  now: number,
): number | undefined {
  const { status, headers } = response;
  if (status !== 403 && status !== 429) return undefined;
  // Their clock and ours may differ: what counts is the time between their two times.
  const theirs = Date.parse(headers.get("date") ?? "") || now;
  const after = headers.get("retry-after");
  if (after !== null) {
    const seconds = Number(after);
    const ms = Number.isNaN(seconds) ? Date.parse(after) - theirs : seconds * 1000;
    return Number.isNaN(ms) ? unsaidMs : Math.max(ms, 0);
  }
  const reset = Number(headers.get("x-ratelimit-reset") ?? Number.NaN);
  // A second more: the reset is given in whole seconds.
  if (headers.get("x-ratelimit-remaining") === "0" && !Number.isNaN(reset))
    return Math.max(reset * 1000 - theirs + 1000, 0);
  return status === 429 || /rate limit/i.test(text) ? unsaidMs : undefined;
}
