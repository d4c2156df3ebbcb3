import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { file } from "../../src/tasks/file.ts";
import { emptyMachine } from "../support/fake-host.ts";
import { accepts, complaints, planned, refusal, settle, sourcesOf } from "../support/tasks.ts";

const motd = { path: "/etc/motd", content: "hello\n" };

describe("file", () => {
  it("writes root's own 0644 when nothing else is said", async () => {
    const host = emptyMachine();

    await settle(file, motd, host);

    expect(host.files.read("/etc/motd")).toBe("hello\n");
    expect(host.files.stat("/etc/motd")).toMatchObject({ mode: "0644", owner: "root", group: "root" });
    expect(host.journal).toEqual(["write /etc/motd"]);
  });

  it("leaves the content alone when only mode and owner differ", async () => {
    const host = emptyMachine();
    host.files.write("/etc/motd", "hello\n", { mode: "0666", owner: "nobody" });

    const plan = await planned(file, motd, host);
    await settle(file, motd, host);

    expect(plan).toEqual([["/etc/motd attributes", "nobody:root 0666", "root:root 0644"]]);
    expect(host.journal).toEqual(["attributes /etc/motd"]);
  });

  it("shows the texts that differ", async () => {
    const host = emptyMachine();
    host.files.write("/etc/motd", "bye\n");

    expect(await planned(file, motd, host)).toEqual([["/etc/motd", "bye\n", "hello\n"]]);
  });

  it("fills in a template", async () => {
    const host = emptyMachine();

    await settle(file, { path: "/etc/a", template: "a.conf", variables: { port: 0 } }, host);

    expect(host.files.read("/etc/a")).toBe('a.conf {"port":0}\n');
  });

  it("uploads a source when its digest differs, and only then", async () => {
    const host = emptyMachine();
    const copy = { path: "/usr/local/bin/x", source: "x.sh", mode: "0755" };
    await settle(file, copy, host, { sources: sourcesOf({ "x.sh": "one" }) });
    await settle(file, copy, host, { sources: sourcesOf({ "x.sh": "one" }) });

    await settle(file, copy, host, { sources: sourcesOf({ "x.sh": "two" }) });

    expect(host.journal).toEqual(["upload /usr/local/bin/x", "upload /usr/local/bin/x"]);
  });

  describe("with a secret", () => {
    const key = { path: "/etc/app.key", secret: { env: "APP_KEY" } };
    const sources = { ...sourcesOf(), secret: async () => "hunter2\n" };

    it.each([
      [{ content: "plain\n" }, "plain\n"],
      [{ template: "a.conf" }, "a.conf {}\n"],
      [{ source: "x.sh" }, /^SHA-256/],
    ])("shows nothing of one that it was, once it is %j", async (plain, shown) => {
      for (const mode of ["0600", "0640"]) {
        const host = emptyMachine();
        await settle(file, { ...key, mode }, host, { sources });

        const [[what, from, to] = [], ...rest] = await planned(
          file,
          { path: key.path, ...plain, mode },
          host,
        );

        expect([what, from, rest]).toEqual([key.path, "other content", []]);
        expect(to).toMatch(shown);
      }
    });

    it("writes it for root's eyes alone when nothing else is said", async () => {
      const host = emptyMachine();

      await settle(file, key, host, { sources });

      expect(host.files.read("/etc/app.key")).toBe("hunter2\n");
      expect(host.files.stat("/etc/app.key")).toMatchObject({ mode: "0600", owner: "root" });
    });

    it("gives it the mode and owner that are said", async () => {
      const host = emptyMachine();

      await settle(file, { ...key, mode: "0640", group: "adm" }, host, { sources });

      expect(host.files.stat("/etc/app.key")).toMatchObject({ mode: "0640", group: "adm" });
    });

    it("closes one that others may read", async () => {
      const host = emptyMachine();
      host.files.write("/etc/app.key", "hunter2\n", { mode: "0644" });

      await settle(file, key, host, { sources });

      expect(host.journal).toEqual(["attributes /etc/app.key"]);
    });

    it("says of the change neither what is there nor what comes, not even by a digest", async () => {
      const host = emptyMachine();
      host.files.write("/etc/app.key", "hunter1\n", { mode: "0600" });

      expect(await planned(file, key)).toEqual([["/etc/app.key", undefined, "the secret"]]);
      expect(await planned(file, key, host)).toEqual([["/etc/app.key", "other content", "the secret"]]);
    });

    it("never reads back what is there: its digest says enough", async () => {
      const host = emptyMachine();
      await settle(file, key, host, { sources });
      host.unknown.set("file:/etc/app.key", "must not be read");

      expect(await settle(file, key, host, { sources })).toMatchObject({ changed: 0, flights: 1 });
    });
  });

  it("refuses to write through or over a link, unless that is said", async () => {
    const host = emptyMachine();
    host.files.symlink("/etc/motd", "/run/motd");

    await expect(settle(file, motd, host)).rejects.toMatchObject(
      refusal(/"\/etc\/motd" must be a file or absent, is a link to "\/run\/motd"/),
    );
    await settle(file, { ...motd, replaceLink: true }, host);

    expect(host.files.stat("/etc/motd")).toMatchObject({ type: "file" });
    expect(host.files.read("/run/motd")).toBeUndefined();
  });

  it("replaces a link even when the right text lies behind it", async () => {
    const host = emptyMachine();
    host.files.write("/srv/motd", "hello\n");
    host.files.symlink("/etc/motd", "/srv/motd");

    await settle(file, { ...motd, replaceLink: true }, host);

    expect(host.files.stat("/etc/motd")).toMatchObject({ type: "file" });
  });

  it("replaces what is there and is no text", async () => {
    const host = emptyMachine();
    host.files.write("/etc/motd", "binary");
    host.unknown.set("file:/etc/motd", "is not UTF-8 text");

    const [[, from] = []] = await planned(file, motd, host);
    await settle(file, motd, host);

    expect(from).toMatch(/^SHA-256 [0-9a-f]{64}$/);
    expect(host.files.read("/etc/motd")).toBe("hello\n");
  });

  it("does not write over a file that cannot be read", async () => {
    const host = emptyMachine();
    host.files.write("/etc/motd", "there");
    for (const kind of ["file", "digest"]) host.unknown.set(`${kind}:/etc/motd`, "Permission denied");

    await expect(settle(file, motd, host)).rejects.toMatchObject({ code: "FACT_UNKNOWN" });
    expect(host.journal).toEqual([]);
  });

  it.each(["directory", "socket"] as const)("never replaces a %s", async (kind) => {
    const host = emptyMachine();
    host.files[kind]("/etc/motd");

    await expect(settle(file, { ...motd, replaceLink: true }, host)).rejects.toMatchObject(
      refusal(/must be a file or absent, is a (directory|device, socket or pipe)/),
    );
    expect(host.journal).toEqual([]);
  });

  it("stops when somebody else changed the file after it was read", async () => {
    const host = emptyMachine();
    host.files.write("/etc/motd", "old\n");
    host.beforeFlight(2, () => host.files.write("/etc/motd", "theirs\n"));

    await expect(settle(file, motd, host)).rejects.toMatchObject({ code: "CHANGED_UNDERNEATH" });
    expect(host.files.read("/etc/motd")).toBe("theirs\n");
  });

  it("fails in the machine's words when the directory is missing", async () => {
    await expect(settle(file, { path: "/nowhere/a", content: "" }, emptyMachine())).rejects.toMatchObject({
      facts: { tail: "/nowhere/a: No such file or directory" },
    });
  });

  it.each([
    [{ path: "/a" }, /"content", "template", "source" or "secret"/],
    [{ path: "/a", content: "", source: "b" }, /only one of/],
    [{ path: "/a", content: "", variables: {} }, /"template" beside "variables"/],
    [{ path: "/a", content: "", mode: 644 }, /mode/],
    [{ path: "/a", content: "", mode: "644" }, /mode/],
    [{ path: "/a", content: "", owner: "0" }, /owner/],
    [{ path: "a", content: "" }, /path/],
    [{ path: "/", content: "" }, /path/],
    [{ path: "/etc/../a", content: "" }, /path/],
    [{ path: "/etc/", content: "" }, /path/],
    [{ path: "/etc//a", content: "" }, /path/],
    [{ path: "/etc/a\nb", content: "" }, /path/],
  ])("refuses %j", (params, reason) => {
    expect(complaints(file, params).join("\n")).toMatch(reason);
  });

  it.each(["/a", "/etc/.hidden", "/etc/..a", "/srv/with space", "/srv/größe", "/etc/a'$(b)"])(
    "takes the path %j",
    (path) => {
      expect(accepts(file, { path, content: "" })).toBe(true);
    },
  );

  it("brings any text over byte for byte, and has nothing to do the second time", async () => {
    const text = fc.oneof(
      fc.constantFrom("", "0", " ", "\n", "-n", "a\r\nb", "\t", "'\"$`\\;&|~*", "ß€😀"),
      fc.string(),
    );
    await fc.assert(
      fc.asyncProperty(text, async (content) => {
        const host = emptyMachine();
        await settle(file, { path: "/etc/x", content }, host);

        expect(host.files.read("/etc/x")).toBe(content);
        expect(await settle(file, { path: "/etc/x", content }, host)).toMatchObject({
          changed: 0,
          flights: 1,
        });
      }),
      { numRuns: 60 },
    );
  });
});
