import { chmodSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { ToolPin } from "../core/tool-pin.ts";
import { findInstalled } from "./installed-tool.ts";
import { commandsOf, inspectTool, readLinks } from "./inspect-tool.ts";
import { linkText } from "./path-facts.ts";
import { incomingPath, type Prefix } from "./prefix.ts";

/**
 * What the next `install` looks at first: with the same plan, these links and these files, nothing is to do. Written
 * last, removed before anything is changed, so it never says more than is there.
 */
export interface WarmState {
  readonly schema: 1;
  /** Digest of all that decides what is wanted. */
  readonly plan: string;
  /** For whom: one user, or the whole machine. */
  readonly scopes: Readonly<Record<"user" | "system", WarmScope>>;
  /** Tools that are as wanted. */
  readonly tools: Readonly<Record<string, WarmTool>>;
}

/** What `install` means without names. */
export interface WarmScope {
  readonly names: readonly string[];
  /** Pinned, but not for this machine. */
  readonly skipped: readonly string[];
}

/** What to look at of one tool; paths are relative to the prefix. */
export interface WarmTool {
  readonly version: string;
  readonly links: readonly (readonly [path: string, target: string])[];
  readonly files: readonly (readonly [path: string, size: number, mtimeMs: number, mode: number])[];
}

/** Which part of it the plan gives. */
export interface WarmPlan extends Pick<WarmState, "plan" | "scopes"> {
  readonly pins: readonly ToolPin[];
}

/** Writes down what of a plan is as wanted. Nothing breaks without it: where that cannot be done, it is not. */
export function writeWarmState(prefix: Prefix, { plan, scopes, pins }: WarmPlan): void {
  const tools = Object.fromEntries(
    pins
      .filter((pin) => inspectTool(prefix, pin).kind === "as-wanted")
      .map((pin) => [pin.name, warmTool(prefix, pin)]),
  );
  const state: WarmState = { schema: 1, plan, scopes, tools };
  const partial = incomingPath(prefix);
  writeFileSync(partial, `${JSON.stringify(state)}\n`);
  chmodSync(partial, 0o644);
  renameSync(partial, stateFile(prefix));
}

/** Removes it. */
export function dropWarmState(prefix: Prefix): void {
  rmSync(stateFile(prefix), { force: true });
}

/** Whether it is there and of this plan. */
export function isStateOf(prefix: Prefix, plan: string): boolean {
  try {
    return (JSON.parse(readFileSync(stateFile(prefix), "utf8")) as WarmState).plan === plan;
  } catch {
    // None, or half of one: it is written anew.
    return false;
  }
}

function warmTool(prefix: Prefix, pin: ToolPin): WarmTool {
  const installed = findInstalled(prefix, pin.name);
  const wanted = installed === undefined ? [] : readLinks(installed, pin.id);
  const own = join("share/provision/store", pin.name);
  const links = [join(own, "current"), ...wanted].map(
    (path) => [path, linkText(join(prefix.root, path)) ?? ""] as const,
  );
  const files = commandsOf(pin).map((command) => {
    const path = join(own, pin.id, "bin", command);
    const { size, mtimeMs, mode } = statSync(join(prefix.root, path));
    return [path, size, mtimeMs, mode] as const;
  });
  return { version: pin.version, links, files };
}

function stateFile({ own }: Prefix): string {
  return join(own, "state.json");
}
