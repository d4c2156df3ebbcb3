/**
 * Escape sequences as terminals read them: CSI with its parameters, strings (OSC, DCS, PM, APC) up to their end, and
 * the two- and three-byte rest (ECMA-48). 8-bit C1 starts count too.
 */
export const escapes =
  // oxlint-disable-next-line no-control-regex
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|(?:\u001b[\]PX^_]|[\u009d\u0090\u0098\u009e\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?|\u001b[ -/]*[0-~]?/g;
/** What may still move a cursor, or reorder what is read: C0 but tab and newline, DEL, C1, bidi controls (Trojan Source). */
export const controls =
  // oxlint-disable-next-line no-control-regex
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
