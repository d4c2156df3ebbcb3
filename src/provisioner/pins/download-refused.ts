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

/** What a broken connection is called: undici hides the reason in `cause`. */
export function broken(error: unknown, signal: AbortSignal): DownloadRefused {
  if (error instanceof DownloadRefused) return error;
  const told: unknown = signal.aborted ? signal.reason : error;
  const reason = told instanceof Error ? told : new Error(String(told));
  const cause = reason.cause instanceof Error ? `: ${reason.cause.message}` : "";
  return new DownloadRefused(`${reason.message}${cause}`, 0, { cause: error });
}
