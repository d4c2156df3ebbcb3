import type { Mirrors } from "./manifest.ts";

/** The places a URL's bytes may be found at, in the order to ask them: mirrors first, the URL itself last. */
export function placesOf(url: string, mirrors: Mirrors): readonly string[] {
  const replaced = mirrors
    .filter(({ of }) => url.startsWith(of))
    .flatMap(({ of, use }) => use.map((prefix) => prefix + url.slice(of.length)));
  return [...new Set([...replaced, url])];
}
