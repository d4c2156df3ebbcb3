import type { Complaint, Where } from "./errors.ts";
import type { Change } from "./task.ts";

/** How a step ended. */
export type StepEnding = "done" | "failed" | "stopped";

/**
 * What became of a use. `may-change`: it stands behind a use that will change what it reads; `does-not-apply`: it is
 * for machines of another distribution.
 */
export type UseOutcome =
  | "ok"
  | "changed"
  | "would-change"
  | "may-change"
  | "does-not-apply"
  | "failed"
  | "skipped";

/** Everything provision says while it works. Renderers are pure readers of this stream. */
export type Event =
  | { readonly kind: "run-started"; readonly command: string; readonly log: string | undefined }
  | {
      readonly kind: "step-started";
      readonly step: number;
      readonly parent: number | undefined;
      readonly title: string;
    }
  /** What a step is at just now: a package, a download; `fraction` from 0 to 1 where it is known. */
  | {
      readonly kind: "step-progress";
      readonly step: number;
      readonly text: string;
      readonly fraction?: number;
    }
  | {
      readonly kind: "step-ended";
      readonly step: number;
      readonly ending: StepEnding;
      readonly ms: number;
      /** What came of it, for the line: a path, a size. */
      readonly result?: string;
    }
  | { readonly kind: "use-started"; readonly step: number; readonly use: string }
  | {
      readonly kind: "use-ended";
      readonly step: number;
      readonly use: string;
      readonly outcome: UseOutcome;
      readonly changes: readonly Change[];
      /** The use it waits for, with `may-change`. */
      readonly after?: string;
      readonly ms: number;
    }
  /** Foreign text: what a machine printed, a line at a time. */
  | { readonly kind: "output"; readonly step: number; readonly line: string }
  | {
      readonly kind: "flight";
      readonly step: number;
      readonly orders: number;
      readonly facts: number;
      readonly ms: number;
    }
  | { readonly kind: "note"; readonly level: "info" | "warning"; readonly text: string }
  /** One promise of a contract, as it was found at one moment. */
  | {
      readonly kind: "assertion";
      /** Its id. */
      readonly promise: string;
      /** `files`, `first boot`, `reboot 1`. */
      readonly moment: string;
      readonly what: string;
      readonly held: boolean;
      /** What speaks against it. */
      readonly found?: string;
    }
  /**
   * The command's own result: printed on stdout, as JSON with --json, as `text` otherwise. What goes on until it is
   * stopped gives it in parts.
   */
  | { readonly kind: "result"; readonly text: string; readonly data: unknown }
  /**
   * What ended the run early; `run-ended` follows. Where one of several hosts failed, what ended the work on that one:
   * the others go on. A bug has code BUG and its stack.
   */
  | {
      readonly kind: "error";
      readonly code: string;
      readonly message: string;
      readonly mend: string;
      readonly where?: Where | string;
      /** With SPEC_INVALID: each thing that is wrong, with its place. */
      readonly complaints?: readonly Complaint[];
      readonly stack?: string;
    }
  | { readonly kind: "run-ended"; readonly exitCode: number; readonly ms: number };

/** Takes an event and never waits. */
export type Report = (event: Event) => void;
