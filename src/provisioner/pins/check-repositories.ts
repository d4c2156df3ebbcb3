import type { Manifest } from "./manifest.ts";

/** What is wrong with the repositories of a manifest whose form is right: as paths into it, with "must be …, is …". */
export function checkRepositories({ repositories = {} }: Manifest): readonly {
  readonly path: readonly (string | number)[];
  readonly part: "key" | "value";
  readonly says: string;
}[] {
  return Object.entries(repositories).flatMap(([name, { uris, suites, components = [] }]) => {
    const at = (key: string, index: number) => ["repositories", name, key, index];
    const unknown = Object.entries({ uris, suites }).flatMap(([key, texts]) =>
      texts.flatMap((text, index) => {
        const [word] = text.replaceAll(known, "").match(/\{[^}]*\}?/) ?? [];
        const says = `must name known words ({distribution} or {codename}), names ${word}`;
        return word === undefined ? [] : [{ path: at(key, index), part: "value", says } as const];
      }),
    );
    const flat = suites.filter((suite) => suite.endsWith("/")).length;
    const isWhole = components.length === 0 ? flat === suites.length : flat === 0;
    const says =
      "must have components, or suites that end in / where it is flat: one of both, and the same for all suites";
    return isWhole ? unknown : [...unknown, { path: ["repositories", name], part: "key", says } as const];
  });
}

const known = /\{(?:distribution|codename)\}/g;
