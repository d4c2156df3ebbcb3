/** Fires when nothing was heard for a while. */
export interface StallGuard extends Disposable {
  /** Aborted by the silence, or by the run. */
  readonly signal: AbortSignal;
  /** Something was heard. */
  readonly beat: () => void;
}

/** Watches a connection that may fall silent. */
export function guardStall(stallMs: number, stopped: AbortSignal): StallGuard {
  const stalled = new AbortController();
  const timer = setTimeout(() => stalled.abort(new Error(`no byte came for ${stallMs / 1000} s`)), stallMs);
  return {
    signal: AbortSignal.any([stalled.signal, stopped]),
    beat: () => timer.refresh(),
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}
