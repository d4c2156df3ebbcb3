import { spawnSync } from "node:child_process";

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Event } from "../../src/provisioner/core/events.ts";
import { Redactor } from "../../src/provisioner/core/redactor.ts";

function knowing(...secrets: readonly string[]): Redactor {
  const redactor = new Redactor();
  for (const secret of secrets) redactor.add(secret);
  return redactor;
}

const awkward = `it's "a\\$b" 100%/ü\n`;

describe("a text with a secret", () => {
  it.each([
    ["itself", "hunter2", "password=hunter2;", "password=***;"],
    ["twice", "hunter2", "hunter2hunter2", "******"],
    ["dollars, which a replacement would read", "hunter2", "$& hunter2 $1", "$& *** $1"],
    ["without the newline of its file", "hunter2\n", "is hunter2.", "is ***."],
    ["one of its lines", "first line\nsecond line\n", "saw: second line!", "saw: ***!"],
    ["an indented line, with other indentation", "a:\n    b: hunter2\n", "| b: hunter2", "| ***"],
    ["lines that end as on Windows", "first line\r\nsecond line\r\n", "second line", "***"],
    ["base64", "hunter2", "aHVudGVyMg==", "***"],
    ["base64 as `echo | base64` makes it", "hunter2", "aHVudGVyMgo=", "***"],
    ["in the alphabet of URLs", "???>>>", "Pz8_Pj4-", "***"],
    ["an escape in its middle", "hunter2", "hun\u001b[0mter2", "***"],
    ["a bell in its middle", "hunter2", "hun\u0007ter2", "***"],
    ["for an address", "p&ss w/rd", "https://u:p%26ss%20w%2Frd@x", "https://u:***@x"],
    ["its digest", "hunter2", "f52fbd32b2b3b86ff88ef6c490628285f482af15ddcb29541f94bcf526a3f6c7", "***"],
  ])("hides %s", (_, secret, said, told) => {
    expect(knowing(secret).text(said)).toBe(told);
  });

  it.each([
    ["sh -c 'set -x; : \"$1\"'", ["sh", "-xc", ': "$1"']],
    ["bash -x", ["bash", "-xc", ': "$1"']],
    ["printf %q", ["bash", "-c", 'printf "%q" "$1"']],
    ["bash's ${1@Q}", ["bash", "-c", 'printf %s "${1@Q}"']],
    ["declare -p, between double quotes", ["bash", "-c", "word=$1; declare -p word"]],
    ["base64", ["sh", "-c", 'printf %s "$1" | base64']],
    ["base64 without breaks", ["sh", "-c", 'printf "%s\\n" "$1" | base64 -w0']],
  ])("hides what %s makes of it", (_, argv) => {
    const long = `${awkward.trim()} ${"0123456789abcdef".repeat(8)}'`;
    for (const secret of [awkward.trim(), long, "-----BEGIN\nline 'two'\n"]) {
      const [file = "", ...args] = argv;
      const { stdout, stderr } = spawnSync(file, [...args, "sh", secret], { encoding: "utf8" });

      const told = knowing(secret).text(stdout + stderr);

      expect(told).toContain("***");
      const letters = secret
        .replaceAll(/[^a-z0-9]+/gi, " ")
        .trim()
        .split(" ");
      for (const word of letters.filter(({ length }) => length > 3)) expect(told).not.toContain(word);
      const encoded = Buffer.from(secret).toString("base64");
      for (let at = 0; at + 8 < encoded.length; at += 4)
        expect(told).not.toContain(encoded.slice(at, at + 8));
    }
  });

  it("hides it within longer base64, as in a header for a name and a password", () => {
    for (const before of ["", "u", "us", "use", "user:"]) {
      const header = Buffer.from(`${before}correct horse${before}`).toString("base64");

      const told = knowing("correct horse").text(`Basic ${header}`);

      // What shares a character with the bytes beside it may stay: a few bits.
      expect(told).toMatch(/^Basic [\w+/=]{0,8}\*\*\*[\w+/=]{0,10}$/);
      expect(Buffer.from(told, "base64").toString()).not.toContain("rse");
    }
  });

  it("hides a secret that overlaps another as one", () => {
    expect(knowing("abcdef", "defghi").text("-abcdefghi-")).toBe("-***-");
    expect(knowing("abcd", "abcdef").text("-abcdef-")).toBe("-***-");
  });

  it("leaves alone lines of it that are too short to be told apart", () => {
    expect(knowing("{\n  a\n}\nhunter2\n").text("{ a }")).toBe("{ a }");
  });

  it("keeps nothing of any secret, wherever it stands", () => {
    const secret = fc
      .string({ minLength: 4, maxLength: 40, unit: "grapheme" })
      .filter((text) => text.trim().length >= 4);
    fc.assert(
      fc.property(secret, fc.string(), fc.string(), (text, before, after) => {
        expect(
          knowing(text)
            .text(before + text + after)
            .replaceAll("***", "\u0001"),
        ).not.toContain(text.trim());
      }),
      { numRuns: 30 },
    );
  });

  it("is as it was where there is no secret in it", () => {
    const said = "plain \u001b[1mbold\u001b[0m\r\n";

    expect(knowing("hunter2").text(said)).toBe(said);
    expect(new Redactor().text(said)).toBe(said);
  });
});

describe("an event with a secret", () => {
  const event: Event = {
    kind: "use-ended",
    step: 1,
    use: "file /etc/hunter2",
    outcome: "changed",
    ms: 1,
    changes: [
      {
        what: "hunter2",
        from: undefined,
        to: "x hunter2",
        actions: [
          { kind: "write", path: "/x", text: "a\nhunter2\n" },
          { kind: "run", command: { argv: ["echo", "hunter2"], env: { A: "hunter2" }, stdin: "hunter2" } },
        ],
      },
    ],
  };

  it("tells it nowhere, at whatever depth", () => {
    const told = knowing("hunter2").event(event);

    expect(JSON.stringify(told)).not.toContain("hunter2");
    expect(told).toMatchObject({ use: "file /etc/***", changes: [{ from: undefined, to: "x ***" }] });
  });

  it("keeps the words that displays go by, whatever the secret is", () => {
    const told = knowing("use-ended", "changed", "write").event(event);

    expect(told).toMatchObject({ kind: "use-ended", outcome: "changed" });
    expect(told).toMatchObject({ changes: [{ actions: [{ kind: "write" }, { kind: "run" }] }] });
  });

  it("is the same event while there is no secret", () => {
    expect(new Redactor().event(event)).toBe(event);
  });
});
