import { describe, expect, it } from "vitest";

import { exitMeanings } from "../../src/provisioner/cli/exit-code.ts";
import { catalogue } from "../../src/provisioner/core/catalogue/index.ts";
import { sourceFiles } from "../support/source-files.ts";

interface AnyEntry {
  readonly exit: number;
  readonly say: (facts: unknown) => string;
  readonly mend: (facts: unknown) => string;
}

const entries = Object.entries(catalogue) as unknown as [string, AnyEntry][];
const inCatalogue = ({ path }: { path: string }) => path.startsWith("src/provisioner/core/catalogue/");
const sections = sourceFiles("src").filter(inCatalogue);
const thrower = sourceFiles("src").filter((file) => !inCatalogue(file));

/** Facts that are lists; every other one reads as a text. */
const lists: Readonly<Record<string, readonly unknown[]>> = {
  complaints: [{ where: { file: "a.yaml", line: 1, column: 1 }, what: "Cannot accept x" }],
  known: ["one", "another"],
  broken: ["one", "another"],
  lacks: ["one", "another"],
  places: ["/a", "/b"],
  paths: ["one", "another"],
  failed: [{ name: "one", reason: "Gone", mend: "Get it" }],
  versions: ["1", "2"],
  changes: ["one", "another"],
  disks: ["/a", "/b"],
  tried: [{ url: "https://example.org", reason: "gone" }],
};

/** Facts of any entry. */
const facts: unknown = new Proxy({}, { get: (_, name) => lists[String(name)] ?? `some ${String(name)}` });

it("has each code in one section: a later one would replace it unnoticed", () => {
  const written = sections.flatMap(({ text }) => text.match(/(?<=^ {2})[A-Z_]+(?=: entry<)/gm) ?? []);

  expect(written.toSorted()).toEqual(Object.keys(catalogue).toSorted());
});

describe.each(entries)("%s", (code, { exit, say, mend }) => {
  it("has a code, an exit number that has a meaning, what and mend", () => {
    expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
    expect(exitMeanings.has(exit)).toBe(true);
    expect(exit).toBeGreaterThan(1);
    expect(say(facts).length).toBeGreaterThan(5);
    expect(mend(facts).length).toBeGreaterThan(5);
  });

  it("speaks as the house does", () => {
    // What the facts bring is not the catalogue's own word.
    for (const text of [say(facts), mend(facts)]) {
      const [first = ""] = text.split("\n");
      expect(first).not.toMatch(/\b\w+n['’]t\b|\b(it|that|there|what)['’]s\b|['’](re|ve|ll)\b/i);
      expect(first).not.toMatch(/[.!?]$/);
      expect(first).toMatch(/^[A-Z`]|^some /);
    }
    expect(mend(facts)).not.toMatch(/^(Try|Please)\b|\btry again$/i);
  });

  it("is thrown somewhere", () => {
    const places = thrower.filter(({ text }) => text.includes(`"${code}"`));

    expect(places.map(({ path }) => path)).not.toEqual([]);
  });
});
