// Escape sequences as terminals read them: CSI with its parameters, strings (OSC, DCS, PM, APC) up to their
// end, and the two- and three-byte rest. 8-bit C1 starts count too.
const escapes =
  // oxlint-disable-next-line no-control-regex
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|(?:\u001b[\]PX^_]|[\u009d\u0090\u0098\u009e\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?|\u001b[ -/]*[0-~]?/g;
// What may still move a cursor, or reorder what is read: C0 but tab and newline, DEL, C1, bidi controls.
// oxlint-disable-next-line no-control-regex
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Foreign text or bytes, fit for a terminal, a log and JSON: no escapes, no controls, no secrets. */
export function cleanOutput(foreign: string | Uint8Array, secrets: readonly string[] = []): string {
  const text = typeof foreign === "string" ? foreign : new TextDecoder().decode(foreign);
  const plain = redact(text, secrets)
    .replaceAll(escapes, "")
    // A program that redraws its line ends it by CR; each drawing is a line of its own here.
    .replaceAll(/\r+\n?/g, "\n")
    .replaceAll(controls, "");
  // Once more: an escape in the middle may have hidden a secret from the first pass.
  return redact(plain, secrets);
}

function redact(text: string, secrets: readonly string[]): string {
  // Longest first: a secret that holds another must go as a whole.
  return secrets
    .filter((secret) => secret !== "")
    .toSorted((a, b) => b.length - a.length)
    .reduce((left, secret) => left.replaceAll(secret, "***"), text);
}
