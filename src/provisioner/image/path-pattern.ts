/**
 * Whether a name is one that a shell's pattern stands for. Of the shell's language only `*` and `[!.]` are known, and
 * a leading dot must be written out.
 */
export function matchesPattern(name: string, pattern: string): boolean {
  if (name.startsWith(".") && !pattern.startsWith(".")) return false;
  const literal = pattern
    .split(/(\*|\[!\.\])/)
    .map((part) => known[part] ?? part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${literal.join("")}$`).test(name);
}

const known: Readonly<Record<string, string>> = { "*": ".*", "[!.]": "[^.]" };
