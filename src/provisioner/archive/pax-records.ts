import { Refusal } from "./refusal.ts";

/** What an extended header says of the member after it; the rest of it is of no concern here. */
export interface Override {
  readonly path?: string;
  readonly linkpath?: string;
  readonly size?: number;
}

/** Changes what a program may do, or where the bytes of a file lie: not read here, so not passed over either. */
const refused: readonly (readonly [key: RegExp, what: string])[] = [
  [/^GNU\.sparse\.|^SUN\.holesdata$|^SCHILY\.realsize$/, "must not be a sparse file"],
  [/xattr\.security\.capability$/, "must not have capabilities of its own"],
];

/** Reads the body of a pax extended header: records of "LENGTH KEY=VALUE\n". */
export function readPax(body: Buffer): Override {
  const records = new Map(recordsOf(body));
  for (const [key, what] of refused)
    if ([...records.keys()].some((each) => key.test(each))) throw new Refusal("content", what);
  const path = nameIn(records.get("path"));
  const linkpath = nameIn(records.get("linkpath"));
  const size = sizeIn(records.get("size"));
  return {
    ...(path !== undefined && { path }),
    ...(linkpath !== undefined && { linkpath }),
    ...(size !== undefined && { size }),
  };
}

/** Reads the body of one of GNU's headers that carry a long name. */
export function readGnuName(body: Buffer): string | undefined {
  return nameIn(body.toString().replace(/\0+$/, ""));
}

function* recordsOf(body: Buffer): Generator<[key: string, value: string]> {
  for (let at = 0; at < body.length;) {
    const blank = body.indexOf(" ", at);
    const digits = body.toString("latin1", at, Math.max(blank, at));
    const end = at + Number(digits);
    const record = body.toString("utf8", blank + 1, end - 1);
    const equals = record.indexOf("=");
    // A value may hold line feeds and any byte: only the length says where it ends.
    if (!/^[1-9]\d{0,7}$/.test(digits) || body[end - 1] !== 0x0a || equals < 1)
      throw new Refusal("damage", "must have extended headers that can be read, has one that cannot");
    yield [record.slice(0, equals), record.slice(equals + 1)];
    at = end;
  }
}

/** An empty value takes back what a header before it said. */
function nameIn(value: string | undefined): string | undefined {
  if (value?.includes("\0")) throw new Refusal("content", "must not hold a NUL byte", { entry: value });
  return value === "" ? undefined : value;
}

function sizeIn(value: string | undefined): number | undefined {
  if (value === undefined || value === "") return undefined;
  const size = Number(value);
  if (/^\d+$/.test(value) && Number.isSafeInteger(size)) return size;
  throw new Refusal("damage", "must have sizes that are numbers, has one that is none");
}
