import { existsSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import type { Shell } from "./shell.ts";

/** Where the files of the project are. All absolute. */
export interface Project {
  readonly root: string;
  readonly specsDir: string;
  readonly hostsDir: string;
  readonly templatesDir: string;
  readonly imagesDir: string;
  /** versions.yaml */
  readonly versionsFile: string;
}

/** Where this machine keeps what provision writes down of its runs. All absolute. */
export interface MachineDirs {
  readonly state: string;
  readonly log: string;
}

/** The project: PROVISION_HOME, else the folder provision itself lies in. */
export function findProject({ env, cwd }: Pick<Shell, "env" | "cwd">): Project {
  const home = env["PROVISION_HOME"];
  const root = home ? resolve(cwd, home) : packageRoot();
  const images = env["PROVISION_IMAGES"];
  return {
    root,
    specsDir: join(root, "specs"),
    hostsDir: join(root, "hosts"),
    templatesDir: join(root, "templates"),
    imagesDir: images ? resolve(cwd, images) : join(root, "images"),
    versionsFile: join(root, "versions.yaml"),
  };
}

/** Where templates of a spec are: the project's own, else those that ship, which some tasks fill. */
export function findTemplates(shell: Pick<Shell, "env" | "cwd">): { directory: string; shipped: string } {
  return { directory: findProject(shell).templatesDir, shipped: join(packageRoot(), "templates") };
}

/** By the XDG Base Directory Specification; a relative path in a variable is to be ignored, it says. */
export function machineDirs({ env, home }: Pick<Shell, "env" | "home">): MachineDirs {
  const xdg = (name: string, otherwise: string): string => {
    const value = env[name];
    return join(value?.startsWith("/") ? value : join(home, otherwise), "provision");
  };
  const state = xdg("XDG_STATE_HOME", ".local/state");
  return { state, log: join(state, "log") };
}

/** A path as people see it: from where they stand when it lies below, else whole. */
export function shownPath(path: string, cwd: string): string {
  const near = relative(cwd, path);
  return near === "" || near.startsWith("..") ? path : near;
}

/** The folder with our package.json, both for the sources and for what is compiled from them. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json")) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}
