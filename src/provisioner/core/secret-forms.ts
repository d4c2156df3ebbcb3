import { createHash } from "node:crypto";

/** Anything shorter would be found by chance in half of what is printed, and its absence would tell it. */
export const shortestSecret = 4;

/** Widths at which programs break what they print in base64: coreutils, then PEM. */
const widths = [76, 64];

/** Every form in which a secret may be printed: itself, its lines, and what quoting and encoding make of them. */
export function formsOf(secret: string): readonly string[] {
  const texts = [secret, secret.trim(), ...secret.split(/\r?\n/).map((line) => line.trim())];
  const forms = texts
    .filter((text) => text.length >= shortestSecret)
    .flatMap((text) => [text, ...quoted(text), ...inBase64(text), ...digests(text)]);
  return [...new Set(forms)].filter((form) => form.length >= shortestSecret);
}

/** As shells, JSON and addresses write it; without the quotes around it. */
function quoted(text: string): readonly string[] {
  const json = JSON.stringify(text).slice(1, -1);
  return [
    // 'it'\''s', as we and bash write it; 'it'"'"'s', as dash's -x does.
    text.replaceAll("'", String.raw`'\''`),
    text.replaceAll("'", `'"'"'`),
    // it\'s, as printf %q does; "it\$", between double quotes; $'it\'s\n'.
    text.replaceAll(/[ !"$&'()*,;<>?[\\\]^`{|}]/g, String.raw`\$&`),
    text.replaceAll(/["$\\`]/g, String.raw`\$&`),
    text
      .replaceAll(/['\\]/g, String.raw`\$&`)
      .replaceAll("\n", String.raw`\n`)
      .replaceAll("\t", String.raw`\t`),
    json,
    json.replaceAll("/", String.raw`\/`),
    ...(/\p{Surrogate}/u.test(text) ? [] : [encodeURIComponent(text)]),
  ];
}

/** Alone and as a part of something longer, as in `user:secret`; whole, in lines, and in the alphabet of URLs. */
function inBase64(text: string): readonly string[] {
  const bytes = Buffer.from(text);
  const inner = [0, 1, 2].map((before) => {
    const all = Buffer.concat([Buffer.alloc(before), bytes]);
    // What shares a character with the bytes beside it is not known.
    return all.toString("base64").slice(Math.ceil((before * 8) / 6), Math.floor((all.length * 8) / 6));
  });
  const whole = [bytes, Buffer.from(`${text}\n`)].map((each) => each.toString("base64"));
  const lines = whole.flatMap((each) =>
    widths.flatMap((width) => each.match(new RegExp(`.{1,${width}}`, "g")) ?? []),
  );
  const plain = [...whole, ...inner, ...lines];
  return [...plain, ...plain.map((each) => each.replaceAll("+", "-").replaceAll("/", "_"))];
}

/** A digest lets whoever reads it try out what a short secret may be. */
function digests(text: string): readonly string[] {
  return [text, `${text}\n`].map((each) => createHash("sha256").update(each).digest("hex"));
}
