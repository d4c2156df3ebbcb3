import { isDeepStrictEqual } from "node:util";

import { isAlias, isCollection, isScalar, parse, parseDocument, type Scalar } from "yaml";

import { ProvisionError } from "../core/errors.ts";

/** A text that is to stand at a place of a YAML file. */
export interface Edit {
  /** Keys and indices. */
  readonly path: readonly (string | number)[];
  readonly value: string;
}

/** What the texts that are written consist of: versions and digests. Nothing in them needs an escape. */
const safe = /^[0-9A-Za-z][0-9A-Za-z._+-]*$/;

/**
 * Replaces texts in a YAML file and nothing else: quotes stay as they are, comments, order and line ends too. Reads
 * the result again: a file that would mean anything but the old one with these texts is never given.
 */
export function editScalars(text: string, edits: readonly Edit[], file: string): string {
  const document = parseDocument(text, { keepSourceTokens: true });
  const before: unknown = document.toJS();
  const splices = edits.map((edit) => {
    if (!safe.test(edit.value))
      throw refused(file, edit, `its new value must be a version or a digest, is not`);
    const { range, type, source } = scalarAt(document.contents, edit, file);
    return { edit, start: range[0], end: range[1], type, source };
  });
  let edited = text;
  for (const { edit, start, end, type, source } of splices.toSorted(
    (one, other) => other.start - one.start,
  )) {
    if (source === edit.value) continue;
    edited = edited.slice(0, start) + written(edit.value, type) + edited.slice(end);
  }
  const after = parseDocument(edited);
  const wanted = structuredClone(before);
  for (const edit of edits) put(wanted, edit);
  if (after.errors.length > 0 || !isDeepStrictEqual(after.toJS(), wanted))
    throw new ProvisionError("PIN_EDIT_REFUSED", {
      file,
      place: edits.map(({ path }) => path.join(".")).join(", "),
      reason: "the file would mean something else than it should",
    });
  return edited;
}

/** The scalar that a path leads to; refuses places that are written elsewhere, or mean more than one. */
function scalarAt(
  root: unknown,
  edit: Edit,
  file: string,
): { readonly range: readonly [number, number]; readonly type: Scalar.Type; readonly source: unknown } {
  let node = root;
  for (const [index, step] of edit.path.entries()) {
    refuseSharing(node, { ...edit, path: edit.path.slice(0, index) }, file);
    node = isCollection(node) ? node.get(step, true) : undefined;
    if (node === undefined) throw refused(file, edit, "it must be there, is not");
  }
  refuseSharing(node, edit, file);
  const { type, range, value } = (isScalar(node) ? node : {}) as Partial<Scalar>;
  if (
    range &&
    typeof value === "string" &&
    (type === "PLAIN" || type === "QUOTE_SINGLE" || type === "QUOTE_DOUBLE")
  )
    return { range: [range[0], range[1]], type, source: value };
  throw refused(file, edit, "it must be a text in one line, is something else");
}

function refuseSharing(node: unknown, edit: Edit, file: string): void {
  if (isAlias(node)) throw refused(file, edit, `it must be written out, is "*${node.source}"`);
  const anchor = (node as Partial<Scalar> | undefined)?.anchor;
  if (anchor === undefined) return;
  throw refused(file, edit, `it must mean one place alone, has the anchor "&${anchor}"`);
}

function written(value: string, type: Scalar.Type): string {
  if (type === "QUOTE_SINGLE") return `'${value}'`;
  // 1.3 without quotes is a number, and so is a digest of digits with one e.
  if (type === "QUOTE_DOUBLE" || parse(value) !== value) return `"${value}"`;
  return value;
}

function put(root: unknown, { path, value }: Edit): void {
  let target = root as Record<string | number, unknown>;
  for (const step of path.slice(0, -1)) target = target[step] as typeof target;
  target[path.at(-1) ?? ""] = value;
}

function refused(file: string, { path }: Edit, reason: string): ProvisionError {
  return new ProvisionError("PIN_EDIT_REFUSED", { file, place: path.join("."), reason });
}
