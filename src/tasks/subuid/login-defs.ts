/** The number that a setting has; of several lines the last one counts. */
export function readSetting(text: string, name: string): number | undefined {
  const values = text.split("\n").flatMap((line) => valueOf(line, name) ?? []);
  const value = values.at(-1);
  // strtoul(3) reads it, with C's prefixes.
  return value !== undefined && /^(0x[0-9a-f]+|\d+)$/i.test(value) ? Number(value) : undefined;
}

/** The text with a setting on one line: where it stood last, behind the comment that offers it, or at the end. */
export function withSetting(text: string, name: string, value: number): string {
  if (readSetting(text, name) === value) return text;
  const lines = text === "" ? [] : text.replace(/\n$/, "").split("\n");
  const last = lines.findLastIndex((line) => valueOf(line, name) !== undefined);
  const line = `${name} ${value}`;
  if (last >= 0) return [...lines.with(last, line), ""].join("\n");
  const offer = lines.findLastIndex((found) => valueOf(found.replace(/^\s*#\s*/, ""), name) !== undefined);
  return [...lines.toSpliced(offer === -1 ? lines.length : offer + 1, 0, line), ""].join("\n");
}

function valueOf(line: string, name: string): string | undefined {
  const [setting, value] = line.trim().split(/\s+/);
  return setting === name ? (value ?? "") : undefined;
}
