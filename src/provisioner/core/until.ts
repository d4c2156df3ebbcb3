/** How long to go on and how often to ask. All in milliseconds. */
export interface Patience {
  readonly deadlineMs: number;
  /** First pause; each later one is `factor` times longer, up to `longestMs`. */
  readonly pauseMs: number;
  readonly longestMs?: number;
  readonly factor?: number;
  readonly signal: AbortSignal;
  readonly now?: () => number;
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Asks until the answer is not `undefined`. Gives that answer, or `undefined` when the deadline passed.
 * Rejects with the signal's reason when stopped; what `ask` throws goes through.
 */
export async function until<T>(
  ask: () => Promise<T | undefined>,
  patience: Patience,
): Promise<T | undefined> {
  const now = patience.now ?? (() => performance.now());
  const sleep = patience.sleep ?? pause;
  const end = now() + patience.deadlineMs;
  let wait = patience.pauseMs;
  for (;;) {
    patience.signal.throwIfAborted();
    const answer = await ask();
    if (answer !== undefined) return answer;
    const left = end - now();
    if (left <= 0) return undefined;
    await sleep(Math.min(wait, left), patience.signal);
    wait = Math.min(wait * (patience.factor ?? 1.5), patience.longestMs ?? patience.pauseMs * 8);
  }
}

/** Sleeps, or rejects with the signal's reason when stopped. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, ms);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}
