import { readFile } from "node:fs/promises";

import type { ToolPin } from "../../core/tool-pin.ts";
import type { Manifest } from "../../pins/manifest.ts";
import { thisArchitecture } from "../../pins/this-architecture.ts";
import { inspectTool, type ToolState } from "../../tools/inspect-tool.ts";
import { type Prefix, prefixAt } from "../../tools/prefix.ts";
import { refuseClashes, selectAll, selectNamed } from "../../tools/select-tools.ts";
import type { WarmPlan } from "../../tools/warm-state.ts";
import { loadManifest } from "../compose.ts";
import { packageVersion } from "../package-version.ts";
import { findProject } from "../project.ts";
import type { Shell } from "../shell.ts";
import type { InstallFlags } from "./flags.ts";
import { planOf, prefixRoot } from "./words.ts";

/** What is wanted in a prefix, and how it stands to that. */
export interface InstallPlan {
  readonly manifest: Manifest;
  readonly prefix: Prefix;
  readonly tools: readonly PlannedTool[];
  readonly skipped: readonly string[];
  readonly warm: WarmPlan;
}

/** A tool that is wanted, and how it is now. */
export interface PlannedTool {
  readonly pin: ToolPin;
  readonly state: ToolState;
}

/** Reads versions.yaml and looks at the prefix; touches nothing. */
export async function makePlan(
  shell: Shell,
  flags: InstallFlags,
  names: readonly string[],
): Promise<InstallPlan> {
  const root = prefixRoot(flags, shell);
  const prefix = prefixAt(root);
  // The bytes first: what is read after them may be newer, never older, and then the plan does not fit again.
  const versions = await readFile(findProject(shell).versionsFile);
  const manifest = await loadManifest(shell);
  const architecture = thisArchitecture();
  const wanted = { system: flags.system ?? false, architecture };
  const { pins, skipped } =
    names.length === 0 ? selectAll(manifest, wanted) : selectNamed(manifest, names, wanted);
  refuseClashes(pins);
  const everything = selectAll(manifest, { system: true, architecture });
  const warm: WarmPlan = {
    plan: planOf({ versions, architecture, provision: packageVersion(), root }),
    pins: everything.pins,
    scopes: {
      user: scopeOf(selectAll(manifest, { system: false, architecture })),
      system: scopeOf(everything),
    },
  };
  const tools = pins.map((pin) => ({ pin, state: inspectTool(prefix, pin) }));
  return { manifest, prefix, tools, skipped, warm };
}

function scopeOf({ pins, skipped }: ReturnType<typeof selectAll>): WarmPlan["scopes"]["user"] {
  return { names: pins.map(({ name }) => name), skipped };
}
