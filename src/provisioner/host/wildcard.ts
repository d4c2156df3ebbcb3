/** A pattern of ssh (`*`, `?`) as an expression; letters in any case when `flags` is "i". */
export function wildcard(pattern: string, flags = ""): RegExp {
  const source = pattern
    .replaceAll(/[\\^$.+()[\]{}|]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, flags);
}
