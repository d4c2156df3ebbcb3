import { describe, expect, it } from "vitest";

import { locale } from "../../src/tasks/locale.ts";
import { emptyMachine } from "../support/fake-host.ts";
import { accepts, settle } from "../support/tasks.ts";

const list = "# This file lists locales\n# de_DE ISO-8859-1\n# de_DE.UTF-8 UTF-8\n# en_US.UTF-8 UTF-8\n";

describe("locale", () => {
  it("takes the comment away from Debian's line and generates", async () => {
    const host = emptyMachine();
    host.files.write("/etc/locale.gen", list);

    await settle(locale, { name: "de_DE.UTF-8" }, host);

    expect(host.files.read("/etc/locale.gen")).toBe(list.replace("# de_DE.UTF-8", "de_DE.UTF-8"));
    expect(host.journal).toEqual(["write /etc/locale.gen", "run locale-gen"]);
  });

  it("generates again when that failed after the line was written", async () => {
    const host = emptyMachine();
    host.files.write("/etc/locale.gen", "de_DE.UTF-8 UTF-8\n");

    await settle(locale, { name: "de_DE.UTF-8" }, host);

    expect(host.journal).toEqual(["run locale-gen"]);
  });

  it("sets LANG when it is the default, and leaves it alone when not", async () => {
    const host = emptyMachine();
    host.files.write("/etc/default/locale", 'LANG="en_US.UTF-8"\nLC_TIME=C\n');

    await settle(locale, { name: "de_DE.UTF-8" }, host);
    expect(host.journal).not.toContain("run update-locale LANG=de_DE.UTF-8");

    await settle(locale, { name: "de_DE.UTF-8", default: true }, host);
    expect(host.journal).toContain("run update-locale LANG=de_DE.UTF-8");
  });

  it("needs nothing generated for the locale that libc brings", async () => {
    const host = emptyMachine();

    await settle(locale, { name: "C.UTF-8", default: true }, host);

    expect(host.journal).toEqual(["run update-locale LANG=C.UTF-8"]);
  });

  it("recognises a modifier", async () => {
    const host = emptyMachine();
    host.locales.add("ca_ES.utf8@valencia");
    host.files.write("/etc/locale.gen", "  ca_ES.UTF-8@valencia   UTF-8\n");

    expect(await settle(locale, { name: "ca_ES.UTF-8@valencia" }, host)).toMatchObject({ changed: 0 });
  });

  it.each(["", "de_DE", "german", "de_DE.utf8", "de_DE.UTF-8 x", "../de_DE.UTF-8"])("refuses %j", (name) => {
    expect(accepts(locale, { name })).toBe(false);
  });
});
