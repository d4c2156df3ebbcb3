/** One line of fstab(5), in the field's own terms. */
export interface Entry {
  readonly device: string;
  readonly mountPoint: string;
  readonly type: string;
  readonly options: string;
  readonly dump: number;
  readonly pass: number;
}

/** The lines that mount on `mountPoint`, as written; comments are none. */
export function linesOf(fstab: string, mountPoint: string): readonly string[] {
  return fstab.split("\n").filter((line) => parse(line)?.mountPoint === mountPoint);
}

/**
 * The text with one line for the mount point, or with none. Every other line stays byte for byte where it is;
 * a line that says the same in other spacing stays too.
 */
export function withEntry(fstab: string, mountPoint: string, entry: Entry | undefined): string {
  let isPlaced = false;
  const lines = fstab.split("\n").flatMap((line) => {
    const found = parse(line);
    if (found?.mountPoint !== mountPoint) return [line];
    if (!entry || isPlaced) return [];
    isPlaced = true;
    return [format(found) === format(entry) ? line : format(entry)];
  });
  const text = lines.join("\n");
  if (!entry || isPlaced) return text;
  return `${text}${text === "" || text.endsWith("\n") ? "" : "\n"}${format(entry)}\n`;
}

/** One line of fstab, its fields escaped. */
export function format({ device, mountPoint, type, options, dump, pass }: Entry): string {
  return [device, mountPoint, type, options].map(escape).concat(String(dump), String(pass)).join(" ");
}

function parse(line: string): Entry | undefined {
  const fields = line.replace(/^[ \t]+|[ \t]+$/g, "").split(/[ \t]+/);
  if (fields[0]?.startsWith("#")) return undefined;
  const [device, mountPoint, type, options = "defaults", dump = "0", pass = "0"] = fields.map(unescape);
  if (!device || !mountPoint || !type) return undefined;
  return { device, mountPoint, type, options, dump: Number(dump), pass: Number(pass) };
}

/** fstab(5): a blank in a field is written as octal, and so is the backslash that would begin one. */
function escape(field: string): string {
  return field.replace(/[\\ \t\n#]/g, (found, at: number) =>
    found === "#" && at > 0 ? found : `\\${found.charCodeAt(0).toString(8).padStart(3, "0")}`,
  );
}

function unescape(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}
