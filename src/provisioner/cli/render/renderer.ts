import type { Report } from "../../core/events.ts";

/** Shows the events of a run as they come. */
export interface Renderer {
  readonly report: Report;
  /** Puts the terminal back as it was; nothing is shown after it. */
  end(): Promise<void>;
}

/** What of a run is shown. */
export interface ShowOptions {
  /** Texts that change as unified diffs. */
  readonly diff: boolean;
  /** Every use, action, flight and line of output. */
  readonly verbose: boolean;
  /** Every line of output, and no more than that. */
  readonly showsOutput?: boolean;
}
