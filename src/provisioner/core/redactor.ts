import type { Event } from "./events.ts";
import { controls, escapes } from "./foreign-text.ts";
import { formsOf } from "./secret-forms.ts";

/** What stands in the place of a secret. */
const stars = "***";

/** Words of ours in events, which renderers go by. */
const ours = new Set(["kind", "outcome", "ending", "level", "code"]);

/** Knows the secrets of a run by value, and takes them out of everything that is said. */
export class Redactor {
  readonly #forms = new Set<string>();

  /** From now on this text is shown to nobody. */
  add(secret: string): void {
    for (const form of formsOf(secret)) this.#forms.add(form);
  }

  /** The text with stars for each secret, in whatever form it stands there. */
  text(text: string): string {
    if (this.#forms.size === 0) return text;
    const said = this.#replaced(text);
    // An escape in its middle must not save a secret from being found: a terminal would not show the escape.
    const seen = said.replaceAll(escapes, "").replaceAll(controls, "");
    const clean = seen === said ? said : this.#replaced(seen);
    return clean === seen ? said : clean;
  }

  /** The event with every text in it made fit to be told. */
  event(event: Event): Event {
    return this.#forms.size === 0 ? event : (this.#deep(event) as Event);
  }

  #deep(value: unknown): unknown {
    if (typeof value === "string") return this.text(value);
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) return value.map((item) => this.#deep(item));
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, ours.has(key) ? item : this.#deep(item)]),
    );
  }

  #replaced(text: string): string {
    let clean = "";
    let at = 0;
    for (const { from, to } of this.#found(text)) {
      // One that overlaps the one before belongs to the same stars.
      if (from >= at) clean += text.slice(at, from) + stars;
      at = Math.max(at, to);
    }
    return clean + text.slice(at);
  }

  #found(text: string): readonly { readonly from: number; readonly to: number }[] {
    const found: { from: number; to: number }[] = [];
    for (const form of this.#forms) {
      for (let from = text.indexOf(form); from !== -1; from = text.indexOf(form, from + 1)) {
        found.push({ from, to: from + form.length });
      }
    }
    return found.toSorted((one, other) => one.from - other.from);
  }
}
