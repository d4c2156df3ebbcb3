import { chmodSync, existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { ToolPin } from "../core/tool-pin.ts";
import { findInstalled } from "./installed-tool.ts";
import { commandsOf, inspectTool, readLinks } from "./inspect-tool.ts";
import { linkText } from "./path-facts.ts";
import { incomingPath, type Prefix, stateName } from "./prefix.ts";

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

/** Writes down what of a plan is as wanted. */
export function writeWarmState(prefix: Prefix, plan: WarmPlan): void {
  const partial = incomingPath(prefix);
  writeFileSync(partial, textOf(prefix, plan));
  chmodSync(partial, 0o644);
  renameSync(partial, stateFile(prefix));
}

/** Whether it is there and says what is so. */
export function isWarm(prefix: Prefix, plan: WarmPlan): boolean {
  const path = stateFile(prefix);
  return existsSync(path) && readFileSync(path, "utf8") === textOf(prefix, plan);
}

/** Removes it. */
export function dropWarmState(prefix: Prefix): void {
  rmSync(stateFile(prefix), { force: true });
}

function textOf(prefix: Prefix, { plan, scopes, pins }: WarmPlan): string {
  const wanted = pins.filter((pin) => inspectTool(prefix, pin).kind === "as-wanted");
  const tools = Object.fromEntries(wanted.map((pin) => [pin.name, warmTool(prefix, pin)]));
  return `${JSON.stringify({ schema: 1, plan, scopes, tools } satisfies WarmState)}\n`;
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
  return join(own, stateName);
}
