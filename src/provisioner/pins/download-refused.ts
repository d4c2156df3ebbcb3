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
  // A name that does not exist will not do so in some seconds either; a name server that is silent says EAI_AGAIN.
  const isNobody = (reason.cause as NodeJS.ErrnoException | undefined)?.code === "ENOTFOUND";
  return new DownloadRefused(`${reason.message}${cause}`, isNobody ? undefined : 0, { cause: error });
}
