import type { Task } from "../provisioner/core/task.ts";
import { sysctl } from "./sysctl.ts";

/** Every task a spec can name, in alphabetical order. */
export const tasks: readonly Task[] = [sysctl];
