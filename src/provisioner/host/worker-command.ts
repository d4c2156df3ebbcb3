import { gzipSync } from "node:zlib";

import { lockScript } from "./lock-script.ts";
import { fileScript } from "./orders/file-script.ts";
import { jobScript } from "./orders/job-script.ts";
import { orderScript } from "./orders/order-script.ts";
import { quoteWord } from "./quote.ts";
import { sectionScript } from "./readers/section-script.ts";
import { workerRoot, type WorkerOptions } from "./worker-options.ts";
import { workerScript } from "./worker-script.ts";

const systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * The program that is the worker, to be started as root with a channel on its standard input and output.
 * The script travels packed in base64: whatever the login shell is, there is nothing in it to expand.
 */
export function workerCommand(options: WorkerOptions): [string, ...string[]] {
  const script = [
    settings(options),
    sectionScript,
    orderScript,
    fileScript,
    jobScript,
    lockScript,
    workerScript,
  ].join("\n");
  // Packed, so that it goes out in the first packets of a connection: comments are for us.
  const encoded = gzipSync(script.replaceAll(/^ *#.*\n/gm, "")).toString("base64");
  // The token stands in the command line so that a dead worker's process id is not taken for it when reused.
  return [
    ...(options.shell ?? (["/bin/sh"] as const)),
    "-c",
    'eval "$(echo $1 | base64 -d | gzip -dc)"',
    "provision-worker",
    encoded,
    options.token,
  ];
}

function settings(options: WorkerOptions): string {
  const values = {
    root: workerRoot(options),
    token: options.token,
    run: oneLine(options.run),
    owner: oneLine(options.lock?.owner ?? ""),
    wait_cs: centiseconds(options.lock?.waitMs ?? 0),
    lease_cs: centiseconds(options.leaseMs ?? 60_000),
    boot_id_file: options.bootIdFile ?? "/proc/sys/kernel/random/boot_id",
    PATH: options.path ?? systemPath,
  };
  return Object.entries(values)
    .map(([name, value]) => `${name}=${quoteWord(String(value))}`)
    .join("\n");
}

function centiseconds(ms: number): number {
  return Math.ceil(ms / 10);
}

/** The lock keeps one value a line. */
function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}
