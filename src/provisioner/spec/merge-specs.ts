import type { Complaint } from "../core/errors.ts";
import type { DiskNeed, ImageSpec, SpecText } from "./image-spec.ts";
import type { SpecFile } from "./read-spec-files.ts";

/** What a spec gets that says nothing about it. */
const defaults = { sizeGiB: 8, cpus: 2, memoryMiB: 2048 };

/**
 * One spec of all its files. What the spec itself says counts; else, of sizes, the largest that an included
 * one asks for, and of bases the one that all agree on.
 */
export function mergeSpecs(files: readonly SpecFile[]): {
  readonly spec: ImageSpec;
  readonly complaints: readonly Complaint[];
} {
  const own = files.at(-1) as SpecFile;
  const texts = files.map(({ yaml }) => (yaml.value ?? {}) as SpecText);
  const top = texts.at(-1) ?? {};
  const base = chooseBase(files);
  return {
    spec: {
      name: own.name,
      description: top.description,
      base: base.name,
      disk: {
        sizeGiB: size(
          top.disk?.sizeGiB,
          texts.map(({ disk }) => disk?.sizeGiB),
          defaults.sizeGiB,
        ),
        needs: (["root", "state"] as const).flatMap((part) => needOf(part, files)),
      },
      builder: {
        cpus: size(
          top.builder?.cpus,
          texts.map(({ builder }) => builder?.cpus),
          defaults.cpus,
        ),
        memoryMiB: size(
          top.builder?.memoryMiB,
          texts.map(({ builder }) => builder?.memoryMiB),
          defaults.memoryMiB,
        ),
      },
      variables: Object.assign({}, ...texts.map(({ variables }) => variables)) as Record<string, unknown>,
    },
    complaints: base.complaints,
  };
}

/** The room for one file system, with the place that asks for it: merged as sizes are. */
function needOf(part: DiskNeed["part"], files: readonly SpecFile[]): readonly DiskNeed[] {
  const asked = files.flatMap(({ yaml }) => {
    const gib = (yaml.value as SpecText | null | undefined)?.disk?.[`${part}GiB`];
    return gib === undefined ? [] : [{ yaml, gib }];
  });
  const own = asked.find(({ yaml }) => yaml === files.at(-1)?.yaml);
  const [most] = own ? [own] : asked.toSorted((one, other) => other.gib - one.gib);
  return most ? [{ part, gib: most.gib, where: most.yaml.where(["disk", `${part}GiB`]) }] : [];
}

function chooseBase(files: readonly SpecFile[]): { name: string; complaints: readonly Complaint[] } {
  const said = files.flatMap(({ yaml }) => {
    const name = (yaml.value as SpecText | null | undefined)?.base;
    return name === undefined ? [] : [{ name, yaml }];
  });
  const own = files.at(-1) as SpecFile;
  const last = said.at(-1);
  if (last === undefined) {
    const what = 'Cannot build this spec: it or one it includes must have "base", none has';
    return { name: "", complaints: [{ where: own.yaml.where([]), what }] };
  }
  if (last.yaml === own.yaml) return { name: last.name, complaints: [] };
  const complaints = said
    .filter(({ name }) => name !== last.name)
    .map(({ name, yaml }) => {
      const other = last.yaml.where(["base"]);
      const what = `Cannot choose a base: included specs must agree, are "${name}" and "${last.name}" (${other.file}:${other.line}:${other.column})`;
      return { where: yaml.where(["base"]), what };
    });
  return { name: last.name, complaints };
}

function size(own: number | undefined, all: readonly (number | undefined)[], otherwise: number): number {
  const asked = all.filter((value) => value !== undefined);
  return own ?? (asked.length > 0 ? Math.max(...asked) : otherwise);
}
