/** A `{name}` that stands for nothing here. */
export class UnknownVariable extends Error {
  constructor(name: string, known: readonly string[]) {
    super(`must name known variables (${known.map((each) => `{${each}}`).join(", ")}), has "{${name}}"`);
    this.name = "UnknownVariable";
  }
}

/** Puts words in the place of their `{name}`, once: what a word brings is not filled in again. */
export function fillIn(text: string, words: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\{([^{}]*)\}/g, (_, name: string) => {
    const word = Object.hasOwn(words, name) ? words[name] : undefined;
    if (word === undefined) throw new UnknownVariable(name, Object.keys(words));
    return word;
  });
}
