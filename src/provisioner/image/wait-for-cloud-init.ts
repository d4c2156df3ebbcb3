import { ProvisionError } from "../core/errors.ts";
import type { FactRequest } from "../core/facts.ts";
import type { Host } from "../core/host.ts";
import { openLink, type Link } from "../core/link.ts";
import type { Run } from "../core/run.ts";
import { until } from "../core/until.ts";

const result: FactRequest = { kind: "file", about: "/run/cloud-init/result.json" };
const status: FactRequest = { kind: "file", about: "/run/cloud-init/status.json" };
const log: FactRequest = { kind: "query", about: { argv: ["tail", "-n", "15", "/var/log/cloud-init.log"] } };

/** SSH opens some seconds before cloud-init is through; emulated and loaded, it was seen to take minutes. */
const DEADLINE_MS = 600_000;

/**
 * Waits until cloud-init has written its result (`cloud-init status --wait` can hang, and its exit code 2 means
 * several things), then asks for no errors, recoverable ones included. Throws CLOUD_INIT_FAILED.
 */
export async function waitForCloudInit(host: Host, run: Run): Promise<void> {
  // cloud-init restarts sshd: a read that loses the connection is asked again.
  const link = openLink(host, run);
  const done = await until(
    async () => {
      const [found, stages] = await ask(link, [result, status]);
      if (typeof found === "string" && found.trim() !== "") return { found, stages };
      run.progress(`cloud-init: ${stageOf(stages)}`);
      return undefined;
    },
    { deadlineMs: DEADLINE_MS, pauseMs: 1000, longestMs: 5000, signal: run.signal },
  );
  const complaints = done ? cloudInitComplaints(done.found, done.stages) : ["it did not end in time"];
  if (complaints.length === 0) return;
  const [tail] = await ask(link, [log]);
  throw new ProvisionError("CLOUD_INIT_FAILED", {
    host: host.name,
    complaints,
    tail: (tail as { stdout?: string } | undefined)?.stdout ?? "",
  });
}

/** Errors of the run, and recoverable errors of its stages (newer cloud-inits list those in status.json). */
export function cloudInitComplaints(resultText: string, statusText: unknown): string[] {
  const { v1 } = JSON.parse(resultText) as { readonly v1?: { readonly errors?: readonly string[] } };
  const errors = v1?.errors ?? ["result.json names no errors field"];
  return [
    ...errors,
    ...stagesOf(statusText).flatMap(([, stage]) => Object.values(stage.recoverable_errors ?? {}).flat()),
  ];
}

interface Stage {
  readonly recoverable_errors?: Readonly<Record<string, readonly string[]>>;
}

function stagesOf(text: unknown): [string, Stage][] {
  if (typeof text !== "string" || text.trim() === "") return [];
  const { v1 } = JSON.parse(text) as { readonly v1?: Readonly<Record<string, unknown>> };
  return Object.entries(v1 ?? {}).filter(
    (pair): pair is [string, Stage] => pair[1] !== null && typeof pair[1] === "object",
  );
}

function stageOf(text: unknown): string {
  if (typeof text !== "string" || text.trim() === "") return "starting";
  const { v1 } = JSON.parse(text) as { readonly v1?: { readonly stage?: string | null } };
  return v1?.stage ?? "between stages";
}

async function ask(link: Link, facts: readonly FactRequest[]): Promise<unknown[]> {
  const { answers } = await link.ask({ facts });
  return answers.map((answer) => ("value" in answer ? answer.value : undefined));
}
