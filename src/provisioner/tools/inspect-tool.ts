import { accessSync, constants, existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

import type { ToolPin } from "../core/tool-pin.ts";
import type { ImageFile } from "./image-content.ts";
import { findInstalled, type InstalledTool, versionOf } from "./installed-tool.ts";
import { isLinkOf, lookAtLink } from "./links.ts";
import { statOf } from "./path-facts.ts";
import { linksFile, type Prefix, filesFile } from "./prefix.ts";

/** How a tool stands to its pin. */
export type ToolState =
  | { readonly kind: "as-wanted" }
  | { readonly kind: "absent" }
  /** Another version, or the same one put together otherwise. */
  | { readonly kind: "other"; readonly installed: string }
  /** `whole` when the version in the store is: links alone are wrong. */
  | { readonly kind: "damaged"; readonly what: string; readonly whole: boolean };

/** Looks at a tool: the version in use, its files, and every link that it wants or wanted once. */
export function inspectTool(prefix: Prefix, pin: ToolPin): ToolState {
  const installed = findInstalled(prefix, pin.name);
  if (installed?.current === undefined) return { kind: "absent" };
  const { current } = installed;
  if (current !== pin.id) return { kind: "other", installed: versionOf(current) };
  const broken = brokenFile(join(installed.directory, current), commandsOf(pin));
  if (broken !== undefined) return { kind: "damaged", what: broken, whole: false };
  const wrong =
    readLinks(installed, current).find((path) => lookAtLink(prefix, pin.name, path).kind !== "right") ??
    unwantedLinks(prefix, installed, current)[0] ??
    installed.ids.find((id) => id !== current && id !== installed.previous);
  return wrong === undefined ? { kind: "as-wanted" } : { kind: "damaged", what: wrong, whole: true };
}

/** The commands of a tool. */
export function commandsOf({ artifacts }: Pick<ToolPin, "artifacts">): readonly string[] {
  return artifacts.flatMap(({ binaries }) => binaries.map(({ command }) => command));
}

/** The links that a version wants. */
export function readLinks({ directory }: InstalledTool, id: string): readonly string[] {
  return readFileSync(join(directory, id, linksFile), "utf8")
    .split("\n")
    .filter(Boolean);
}

/** Links of the tool that some version of it wants and this one does not. */
export function unwantedLinks(prefix: Prefix, installed: InstalledTool, id: string): readonly string[] {
  const wanted = new Set(readLinks(installed, id));
  const others = installed.ids.filter((each) => each !== id).flatMap((each) => readLinks(installed, each));
  return [...new Set(others)].filter((path) => !wanted.has(path) && isLinkOf(prefix, installed.name, path));
}

/** The first file of a version that is not as it was when it was installed. */
export function brokenFile(directory: string, commands: readonly string[]): string | undefined {
  const dead = commands.find((command) => !isExecutable(join(directory, "bin", command)));
  if (dead !== undefined) return `bin/${dead}`;
  return readFiles(directory).find((file) => !isAsWritten(directory, file))?.path;
}

function isAsWritten(directory: string, { path, size, mtimeMs }: ImageFile): boolean {
  const found = statOf(join(directory, path));
  return found?.isFile() === true && found.size === size && Math.floor(found.mtimeMs) === mtimeMs;
}

function readFiles(directory: string): readonly ImageFile[] {
  const path = join(directory, filesFile);
  // One that the tools task installed has no such list: its commands are what is looked at.
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n");
  return lines.flatMap((line) => {
    const [, size, mtimeMs, file] = /^(\d+) (\d+) (.+)$/.exec(line) ?? [];
    return file === undefined ? [] : [{ path: file, size: Number(size), mtimeMs: Number(mtimeMs) }];
  });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
