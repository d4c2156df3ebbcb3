import type { When } from "./distribution.ts";
import type { Where } from "./errors.ts";
import type { Task } from "./task.ts";

/** A task with parameters, in a spec. */
export interface Use {
  /** `sysctl net.ipv4.ip_forward`: the task's name and the use's subject. */
  readonly id: string;
  readonly task: Task;
  readonly params: unknown;
  readonly where: Where;
  /** On other machines than these it does not apply. */
  readonly when?: When;
}

/** The uses in a spec, in order. */
export type Recipe = readonly Use[];
