import type { Use } from "../../src/provisioner/core/recipe.ts";

/** What specs/base.yaml wants, kind by kind. */
export interface Uses {
  readonly files: readonly { readonly path: string; readonly content: string; readonly mode: string }[];
  readonly packages: readonly string[];
  readonly masked: readonly string[];
  readonly running: readonly string[];
  readonly restarted: readonly string[];
  readonly reloaded: readonly string[];
  readonly sysctls: readonly { readonly key: string; readonly value: string }[];
  readonly blacklisted: readonly string[];
  readonly tmpfiles: readonly { readonly name: string; readonly content: string }[];
  readonly links: readonly { readonly path: string; readonly target: string }[];
  readonly absent: readonly string[];
  readonly timezone: string;
  readonly locale: string;
}

type Params = Readonly<Record<string, unknown>>;

/** Sorts a recipe by kind, so that the script is made of the spec and cannot fall behind it. */
export function usesOf(recipe: readonly Use[]): Uses {
  const known = new Set(kinds);
  const stranger = recipe.find(({ task }) => !known.has(task.name));
  if (stranger)
    throw new Error(`The script by hand knows no ${stranger.id}: write it into bench/build/script.ts`);
  const all = (name: string): readonly Params[] =>
    recipe.filter(({ task }) => task.name === name).map(({ params }) => params as Params);
  const text = (params: Params | undefined, name: string) => {
    const value = params?.[name];
    return typeof value === "string" ? value : "";
  };
  const units = all("systemd-unit");
  const unitsWith = (has: (params: Params) => boolean) =>
    units.filter(has).map((params) => text(params, "unit"));
  return {
    files: all("file").map((params) => ({
      path: text(params, "path"),
      content: text(params, "content"),
      mode: text(params, "mode") || "0644",
    })),
    packages: all("apt").flatMap((params) => params["present"] as readonly string[]),
    masked: unitsWith(({ masked }) => masked === true),
    running: unitsWith(({ enabled }) => enabled === true),
    restarted: unitsWith(({ restartOn, onChange }) => restartOn !== undefined && onChange !== "reload"),
    reloaded: unitsWith(({ onChange }) => onChange === "reload"),
    sysctls: all("sysctl").map((params) => ({ key: text(params, "key"), value: text(params, "value") })),
    blacklisted: all("kernel-module").map((params) => text(params, "name")),
    tmpfiles: all("tmpfiles").map((params) => ({
      name: text(params, "name"),
      content: text(params, "content"),
    })),
    links: all("symlink").map((params) => ({ path: text(params, "path"), target: text(params, "target") })),
    absent: all("absent").map((params) => text(params, "path")),
    timezone: text(all("timezone")[0], "name"),
    locale: text(all("locale")[0], "name"),
  };
}

const kinds = [
  "absent",
  "apt",
  "directory",
  "file",
  "kernel-module",
  "locale",
  "symlink",
  "sysctl",
  "systemd-unit",
  "timezone",
  "tmpfiles",
];
