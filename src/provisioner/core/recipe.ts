import type { Where } from "./errors.ts";
import type { Task } from "./task.ts";

/** A task with parameters, in a spec. */
export interface Use {
  /** `sysctl net.ipv4.ip_forward`: the task's name and the use's subject. */
  readonly id: string;
  readonly task: Task;
  readonly params: unknown;
  readonly where: Where;
}

/** The uses in a spec, in order. */
export type Recipe = readonly Use[];
