import { readFile } from "node:fs/promises";

import { ProvisionError } from "../core/errors.ts";
import type { Host, Order } from "../core/host.ts";
import type { Run } from "../core/run.ts";
import { run as runProgram, write } from "../core/task.ts";
import type { RenderTemplate } from "../core/templates.ts";
import { accountFiles, hygiene, type HygieneItem, writers } from "./hygiene.ts";
import { stateLayout } from "../core/state-layout.ts";

const script = "/run/provision-seal.sh";

/** What the seal is told of the image it makes. */
export interface SealOptions {
  /** The user we are logged in as; it is gone afterwards. */
  readonly user: string;
  /** Marks this build's lines on the console. */
  readonly nonce: string;
  readonly version: string;
  readonly readOnlyRoot: boolean;
  readonly renderTemplate: RenderTemplate;
}

/** The script that makes an image out of a machine, then switches it off. */
export function sealScript(options: SealOptions): string {
  const { renderTemplate, ...told } = options;
  return renderTemplate("seal.sh", {
    ...told,
    marker: stateLayout.marker,
    fstab: Object.values(stateLayout.fstab),
    absent: all(({ absent }) => absent),
    bare: all(({ bare }) => bare),
    noFilesBelow: all(({ noFilesBelow }) => noFilesBelow),
    noNamesBelow: hygiene.flatMap(({ noNamesBelow = [] }) => noNamesBelow),
    accountFiles,
    writers,
    empty: all(({ empty }) => empty),
  });
}

function all(pick: (item: HygieneItem) => readonly string[] | undefined): string[] {
  return hygiene.flatMap((item) => pick(item) ?? []);
}

/**
 * Starts the seal as a unit of the system: the user it removes is the one this session belongs to, so it must
 * outlive the session. The guest cuts the connection and powers off by itself.
 */
export async function startSeal(host: Host, options: SealOptions): Promise<void> {
  const orders: Order[] = [
    write(script, sealScript(options), { mode: "0700" }),
    runProgram("systemd-run", "--unit=provision-seal", "--collect", "--no-block", "/bin/sh", script),
  ].map((action, index) => ({ id: `seal-${options.nonce}-${index}`, action }));
  const { landings } = await host.fly({ orders, facts: [] });
  const bad = landings.find(({ kind }) => kind !== "done");
  if (bad) throw new ProvisionError("SEAL_FAILED", { reason: "tail" in bad ? bad.tail : bad.kind });
}

/** After the guest is off: its console must say that the seal went through. */
export async function checkSealed(console: string, nonce: string, run: Run): Promise<void> {
  const lines = (await readFile(console, "utf8")).split(/\r?\n/);
  const said = lines.findLast((line) => line.includes(`PROVISION ${nonce} `));
  if (said?.includes(`PROVISION ${nonce} SEALED`)) return;
  run.signal.throwIfAborted();
  throw new ProvisionError("SEAL_FAILED", { reason: said ?? "the guest went off without a word" });
}
