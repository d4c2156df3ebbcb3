import { spawn } from "node:child_process";
import { constants } from "node:os";

/**
 * Gives the terminal to a program until it ends; its exit code, or 128 and the number of the signal that ended it, as
 * shells have it. 127 when there is no such program.
 */
export function handOver([program, ...args]: readonly [string, ...string[]]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: "inherit" });
    child.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") resolve(127);
      else reject(error);
    });
    child.on("close", (code, signal) =>
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
    );
  });
}
