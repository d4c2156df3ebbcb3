import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { appliesTo, distributionNamed } from "../core/distribution.ts";
import { emptyHost } from "../core/empty-host.ts";
import { FactBook } from "../core/fact-book.ts";
import { lookAll } from "../core/look.ts";
import type { Recipe } from "../core/recipe.ts";
import type { Sources } from "../core/sources.ts";
import type { PinnedDriver } from "../core/driver-pin.ts";
import type { Architecture, ToolPin } from "../core/tool-pin.ts";

/** Everything that decides what an image holds; plain data, stored in its manifest. */
export interface BuildInputs {
  readonly name: string;
  /** Key of the base: its entry, package list, layout and apt freshness bucket. */
  readonly base: string;
  readonly diskGiB: number;
  readonly readOnlyRoot: boolean;
  /** In order: the use, and the digest of its parameters. */
  readonly uses: readonly { readonly id: string; readonly digest: string }[];
  /** Digests of the files, filled templates and repositories of versions.yaml that the uses ask for. */
  readonly materials: readonly { readonly name: string; readonly sha256: string }[];
  /** Tools of versions.yaml that the uses ask for, by name: no other entry of it counts. */
  readonly tools: readonly Pick<ToolPin, "name" | "id">[];
  /** Drivers of versions.yaml that the uses ask for, whole: packages, and the kernel they go with. */
  readonly drivers: readonly PinnedDriver[];
  /** Digest of provision's own code and templates. */
  readonly code: string;
}

/** Bases are amd64, so images are. */
const architecture: Architecture = "x86_64";

/**
 * The uses that apply to a distribution (`debian-13`) and what they are made of; found by planning them on an empty
 * machine.
 */
export async function digestUses(
  recipe: Recipe,
  sources: Sources,
  distribution: string,
): Promise<{
  readonly inputs: Pick<BuildInputs, "uses" | "materials" | "tools" | "drivers">;
  /** The tools in full, by name. */
  readonly pins: readonly ToolPin[];
}> {
  const materials = new Map<string, string>();
  const tools = new Map<string, ToolPin>();
  const drivers = new Map<string, PinnedDriver>();
  const noting: Sources = {
    async source(path) {
      const source = await sources.source(path);
      materials.set(path, source.sha256);
      return source;
    },
    async text(path) {
      const text = await sources.text(path);
      materials.set(path, digestOf(text));
      return text;
    },
    template(name, variables) {
      const text = sources.template(name, variables);
      materials.set(`${name} ${digestOf(variables)}`, digestOf(text));
      return text;
    },
    async tool(name) {
      const tool = await sources.tool(name);
      const pin = tool.pins[architecture];
      if (pin) tools.set(name, pin);
      return tool;
    },
    async repository(name) {
      const repository = await sources.repository(name);
      materials.set(`repository ${name}`, digestOf(repository));
      return repository;
    },
    async driver(name) {
      const driver = await sources.driver(name);
      const pins = Object.entries(driver.pins).filter(([each]) => each === distribution);
      drivers.set(name, { name, pins: Object.fromEntries(pins) });
      return driver;
    },
    secret: (source) => sources.secret(source),
    obtain: (action, run) => sources.obtain(action, run),
    obtainKey: (action, run) => sources.obtainKey(action, run),
  };
  // What is for another distribution must not count: neither its files nor its tools get into the image.
  const here = recipe.filter(({ when }) => appliesTo(when, distributionNamed(distribution)));
  await using host = emptyHost(distribution);
  const book = new FactBook(async (facts) => (await host.fly({ orders: [], facts })).answers, noting);
  await lookAll(here, book);
  const pins = byName(tools);
  return {
    inputs: {
      uses: here.map(({ id, params }) => ({ id, digest: digestOf(params) })),
      materials: [...materials.keys()]
        .toSorted()
        .map((name) => ({ name, sha256: materials.get(name) ?? "" })),
      // An id changes with every byte of a tool and every place, and not with where it was downloaded from.
      tools: pins.map(({ name, id }) => ({ name, id })),
      drivers: byName(drivers),
    },
    pins,
  };
}

function byName<Pin extends { readonly name: string }>(pins: ReadonlyMap<string, Pin>): readonly Pin[] {
  return [...pins.values()].toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

/** SHA-256 over the files of some folders: names and content. */
export async function digestFolders(folders: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const folder of folders) {
    const names = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = names.filter((entry) => entry.isFile() && !entry.name.endsWith(".tsbuildinfo"));
    for (const path of files.map((entry) => join(entry.parentPath, entry.name)).toSorted()) {
      hash
        .update(path.slice(folder.length))
        .update("\0")
        .update(await readFile(path))
        .update("\0");
    }
  }
  return hash.digest("hex");
}

/** SHA-256 of plain data, whatever the order of its keys. */
export function digestOf(data: unknown): string {
  return createHash("sha256").update(canonical(data)).digest("hex");
}

function canonical(data: unknown): string {
  return JSON.stringify(data, (_key, value: unknown) =>
    value !== null && typeof value === "object" && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)))
      : value,
  );
}
