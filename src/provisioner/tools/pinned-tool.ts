import { Refusal } from "../core/task.ts";
import { type Architecture, architectures, type PinnedTool, type ToolPin } from "../core/tool-pin.ts";
import type { Manifest } from "../pins/manifest.ts";
import { resolveTool } from "../pins/resolve-tool.ts";
import { nameFormat } from "../spec/formats.ts";

/** A tool of versions.yaml with what each architecture gets of it; refuses a name that is none. */
export function pinnedTool(name: string, { tools = {} }: Pick<Manifest, "tools">): PinnedTool {
  const entry = Object.hasOwn(tools, name) ? tools[name] : undefined;
  if (entry === undefined) {
    const says = nameFormat("tool of versions.yaml", Object.keys(tools))(name);
    throw new Refusal(`"${name}" ${says}; add it to versions.yaml or correct the name`);
  }
  const pins = architectures.flatMap((architecture): (readonly [Architecture, ToolPin])[] => {
    const pin = resolveTool(name, entry, architecture);
    return pin ? [[architecture, pin]] : [];
  });
  return { name, version: entry.version, pins: Object.fromEntries(pins) };
}
