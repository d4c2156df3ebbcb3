import { join } from "node:path";

import { ProvisionError } from "../core/errors.ts";
import type { Redactor } from "../core/redactor.ts";
import type { Sources } from "../core/sources.ts";
import type { Task, TrialMachine } from "../core/task.ts";
import { findBase } from "../image/base-image.ts";
import { openScratch } from "../local/scratch.ts";
import { nearestName } from "../spec/nearest-name.ts";
import { templateNames, templateRenderer } from "../spec/render-template.ts";
import { specSources } from "../spec/spec-sources.ts";
import type { Trial } from "../trial/trial.ts";
import type { DirectFlags } from "./command.ts";
import { lazyManifest, loadSpec, registry } from "./compose.ts";
import { exampleTrials } from "./example-trials.ts";
import { openPins } from "./open-pins.ts";
import { openSecrets } from "./open-secrets.ts";
import { findTemplates } from "./project.ts";
import { selectUses } from "./select-uses.ts";
import type { Shell } from "./shell.ts";
import { specTrials } from "./spec-trials.ts";
import { standInSources } from "./stand-in-sources.ts";

/** What is to be tried, on a machine of which base, and with what. */
export interface Work extends AsyncDisposable {
  readonly base: string;
  readonly trialsOn: (machine: TrialMachine) => readonly Trial[];
  readonly sources: Sources;
}

/** What the command line says of it. */
export interface Asked {
  readonly flags: DirectFlags & { readonly spec?: string; readonly base?: string };
  readonly operands: readonly string[];
  readonly shell: Shell;
  readonly redactor: Redactor;
  readonly cacheDir: string;
}

const usualBase = "debian-13";

/** Reads what is to be tried; opens no connection. */
export function readTrials(asked: Asked): Promise<Work> {
  const { spec } = asked.flags;
  return spec === undefined ? fromExamples(asked) : fromSpec(spec, asked);
}

async function fromExamples(asked: Asked): Promise<Work> {
  const { flags, operands, shell, redactor, cacheDir } = asked;
  const tasks = operands.length === 0 ? registry : operands.map(taskNamed);
  const base = flags.base ?? usualBase;
  const manifest = lazyManifest(shell);
  findBase(base, manifest());
  const { directory, shipped } = findTemplates(shell);
  const standIns = await openScratch(join(cacheDir, "scratch"), "stand-ins");
  const sources = standInSources({
    folder: standIns.path,
    templates: [...templateNames(directory), ...templateNames(shipped)],
    render: templateRenderer(directory, {}, shipped),
    redactor,
    pins: openPins(shell, manifest, flags),
  });
  return {
    base,
    trialsOn: (machine) => exampleTrials(tasks, { base, machine, registry }),
    sources,
    [Symbol.asyncDispose]: () => standIns[Symbol.asyncDispose](),
  };
}

async function fromSpec(name: string, asked: Asked): Promise<Work> {
  const { flags, operands, shell, redactor } = asked;
  const manifest = lazyManifest(shell);
  const loaded = await loadSpec(name, shell, { forHost: true, manifest });
  const base = flags.base ?? loaded.spec.base;
  const { distribution } = findBase(base, manifest());
  const recipe = selectUses(loaded.recipe, { only: operands });
  const secrets = openSecrets(shell, loaded.sourceDirs, redactor);
  const pins = openPins(shell, manifest, flags);
  return {
    base,
    trialsOn: () => specTrials(loaded.spec.name, recipe, distribution),
    sources: specSources(loaded, findTemplates(shell), { ...pins, ...secrets }),
    [Symbol.asyncDispose]: async () => {},
  };
}

function taskNamed(name: string): Task {
  const found = registry.find((task) => task.name === name);
  if (found) return found;
  const names = registry.map((task) => task.name);
  const nearest = nearestName(name, names);
  throw new ProvisionError("USAGE", {
    what: `Cannot test "${name}": must be one of ${names.join(", ")}`,
    mend: nearest === undefined ? "Name one of them" : `Name "${nearest}"`,
  });
}
