import { spawn } from "node:child_process";
import { once } from "node:events";

import { plainSsh } from "../peers/contender.ts";

/** Waits until ssh runs a command there, and gives the moment at which it had; the same for everybody who is measured. */
export async function probe(where: {
  readonly address: string;
  readonly keyFile: string;
  readonly limitMs: number;
  readonly signal?: AbortSignal;
}): Promise<number> {
  const { address, keyFile, limitMs, signal } = where;
  const options = Object.entries({
    ...plainSsh,
    ConnectTimeout: "2",
    ControlPath: "none",
    LogLevel: "ERROR",
    StrictHostKeyChecking: "no",
    UserKnownHostsFile: "/dev/null",
  }).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  const argv = ["-F", "none", ...options, "-i", keyFile, `admin@${address}`, "true"];
  const end = performance.now() + limitMs;
  while (performance.now() < end) {
    signal?.throwIfAborted();
    const child = spawn("timeout", ["30", "ssh", ...argv], { stdio: "ignore" });
    const [code] = (await once(child, "close")) as [number | null];
    if (code === 0) return performance.now();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`no answer by ssh after ${Math.round(limitMs / 1000)} s`);
}
