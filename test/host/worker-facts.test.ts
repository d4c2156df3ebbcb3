import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { FactRequest } from "../../src/provisioner/core/facts.ts";
import { emptyPlace, localWorker, shells } from "../support/local-worker.ts";

const sumOfNothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const oddNames = [
  "two words",
  "new\nline",
  "-dash",
  "quote'\"",
  "$HOME",
  "žluť 漢字",
  "back\\slash",
  "*",
  "a:b: c",
];

for (const { name, argv, missing } of shells) {
  // A static busybox prefers its own find, which cannot tell what is asked.
  describe.skipIf(missing)(`under ${name}${missing ? ` (skipped: ${missing})` : ""}`, () => {
    const hasFind = name !== "busybox";

    it.skipIf(!hasFind)("reads files of every name, and tells absent from unknown", async () => {
      using place = emptyPlace();
      for (const odd of oddNames) writeFileSync(place.at(odd), `text of ${odd}`);
      symlinkSync("loop-b", place.at("loop-a"));
      symlinkSync("loop-a", place.at("loop-b"));
      symlinkSync("nowhere", place.at("dangling"));
      await using worker = await localWorker(place, { shell: argv });
      const about = (path: string): FactRequest => ({ kind: "file", about: place.at(path) });

      const answers = await worker.ask(
        ...oddNames.map(about),
        about("none"),
        about("two words/below"),
        about("dangling"),
        about("loop-a"),
        about("."),
        { kind: "file", about: "relative" },
        { kind: "file", about: "/proc/uptime" },
      );

      expect(answers).toEqual([
        ...oddNames.map((odd) => ({ value: `text of ${odd}` })),
        { value: undefined },
        { value: undefined },
        { value: undefined },
        { unknown: "Too many levels of symbolic links" },
        { unknown: "is not a regular file" },
        { unknown: "a path must be absolute" },
        { unknown: "is on proc, where files have no lasting content" },
      ]);
    });

    it.skipIf(!hasFind)("reads every kind in one flight", async () => {
      using place = emptyPlace();
      writeFileSync(place.at("file"), "");
      chmodSync(place.at("file"), 0o640);
      symlinkSync("file", place.at("link"));
      await using worker = await localWorker(place, { shell: argv });

      const answers = await worker.ask(
        { kind: "stat", about: place.at("link") },
        { kind: "stat", about: place.at("file") },
        { kind: "stat", about: place.at("none") },
        { kind: "digest", about: place.at("link") },
        { kind: "digest", about: place.at("none") },
        { kind: "package", about: "bash" },
        { kind: "package", about: "no-such-package" },
        { kind: "sysctl", about: "kernel.ostype" },
        { kind: "sysctl", about: "kernel.no_such" },
        { kind: "user", about: "root" },
        { kind: "user", about: "no-such-user" },
        { kind: "group", about: "root" },
        { kind: "mount", about: "/proc" },
        { kind: "mount", about: place.path },
        { kind: "query", about: { argv: ["sh", "-c", "cat; echo err >&2; exit 4"], stdin: "in" } },
        { kind: "query", about: { argv: ["no-such-program"] } },
      );

      const [dpkg = ""] = execFileSync("dpkg-query", ["-W", "-f", "${Version}", "bash"])
        .toString()
        .split("\n");
      expect(answers).toMatchObject([
        { value: { type: "symlink", target: "file" } },
        { value: { type: "file", mode: "0640", size: 0, target: undefined } },
        { value: undefined },
        { value: sumOfNothing },
        { value: undefined },
        { value: dpkg },
        { value: undefined },
        { value: "Linux" },
        { value: undefined },
        { value: { uid: 0, group: "root", home: "/root" } },
        { value: undefined },
        { value: { gid: 0 } },
        { value: { fsType: "proc" } },
        { value: undefined },
        { value: { code: 4, stdout: "in", stderr: "err\n" } },
        { unknown: expect.stringContaining("tool missing") },
      ]);
    });

    it("never calls a thing absent that is there", async () => {
      using place = emptyPlace();
      writeFileSync(place.at("file"), "x");
      await using worker = await localWorker(place, { shell: argv });

      const answers = await worker.ask(
        ...(["file", "stat", "digest"] as const).map((kind) => ({ kind, about: place.at("file") })),
        { kind: "package", about: "bash" },
        { kind: "sysctl", about: "kernel.ostype" },
        { kind: "user", about: "root" },
        { kind: "mount", about: "/proc" },
      );

      expect(answers).not.toContainEqual({ value: undefined });
    });
  });
}

it("brings any text of a file unchanged", async () => {
  using place = emptyPlace();
  await using worker = await localWorker(place);
  const text = fc.string({ unit: "binary", maxLength: 300 }).filter((some) => !/\p{Surrogate}/u.test(some));

  await fc.assert(
    fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 8 }), async (texts) => {
      texts.forEach((some, at) => writeFileSync(place.at(`${at}`), some));

      const answers = await worker.ask(
        ...texts.map((_, at) => ({ kind: "file" as const, about: place.at(`${at}`) })),
      );

      expect(answers).toEqual(texts.map((value) => ({ value })));
    }),
    { numRuns: 6 },
  );
});

it("starts one process a kind, and two where it reads contents", async () => {
  using place = emptyPlace();
  mkdirSync(place.at("bin"));
  for (const tool of ["find", "cat", "sha256sum", "dpkg-query", "grep", "getent"]) {
    const script = `#!/bin/bash\necho ${tool} >>${place.at("log")}\nexec -a ${tool} /usr/bin/${tool} "$@"\n`;
    writeFileSync(place.at(`bin/${tool}`), script, { mode: 0o755 });
  }
  await using worker = await localWorker(place, { path: `${place.at("bin")}:/usr/sbin:/usr/bin:/sbin:/bin` });
  for (let at = 0; at < 40; at++) writeFileSync(place.at(`file-${at}`), `text ${at}`);

  const answers = await worker.ask(
    ...times((at) => ({ kind: "file", about: place.at(`file-${at}`) })),
    ...times((at) => ({ kind: "stat", about: place.at(`file-${at}`) })),
    ...times((at) => ({ kind: "digest", about: place.at(`file-${at}`) })),
    ...times((at) => ({ kind: "package", about: `package-${at}` })),
    ...times((at) => ({ kind: "sysctl", about: `kernel.setting_${at}` })),
    ...times((at) => ({ kind: "group", about: `group-${at}` })),
    ...times((at) => ({ kind: "mount", about: place.at(`mount-${at}`) })),
  );

  expect(answers.filter((answer) => "unknown" in answer)).toEqual([]);
  expect(readFileSync(place.at("log"), "utf8").trim().split("\n").toSorted()).toEqual(
    ["find", "cat", "find", "find", "sha256sum", "dpkg-query", "grep", "getent", "cat"].toSorted(),
  );
});

it("reads more than one command line holds", async () => {
  using place = emptyPlace();
  const names = Array.from({ length: 1200 }, (_, at) => `${"long".repeat(20)}-${at}`);
  for (const name of names) if (!name.endsWith("7")) writeFileSync(place.at(name), name);
  await using worker = await localWorker(place);

  const answers = await worker.ask(
    ...names.map((name) => ({ kind: "file" as const, about: place.at(name) })),
  );

  expect(answers).toEqual(names.map((name) => ({ value: name.endsWith("7") ? undefined : name })));
});

it("gives each of two equal requests its answer", async () => {
  using place = emptyPlace();
  await using worker = await localWorker(place);
  const fact: FactRequest = { kind: "stat", about: place.at("none") };

  const answers = await worker.ask(fact, { kind: "user", about: "root" }, fact);

  expect(answers).toMatchObject([{ value: undefined }, { value: { uid: 0 } }, { value: undefined }]);
});

it("loses only the facts of the section that hangs", async () => {
  using place = emptyPlace();
  mkdirSync(place.at("bin"));
  writeFileSync(place.at("bin/dpkg-query"), "#!/bin/sh\necho 'half a li'; sleep 60 & sleep 60\n", {
    mode: 0o755,
  });
  writeFileSync(place.at("bin/systemctl"), "#!/bin/sh\necho LoadState=loaded; kill -SEGV $$\n", {
    mode: 0o755,
  });
  await using worker = await localWorker(place, {
    path: `${place.at("bin")}:/usr/bin:/bin`,
    factLimitMs: 300,
  });

  const answers = await worker.ask(
    { kind: "package", about: "bash" },
    { kind: "query", about: { argv: ["sleep", "60"] } },
    { kind: "unit", about: "ssh" },
    { kind: "sysctl", about: "kernel.ostype" },
  );

  expect(answers).toEqual([
    { unknown: "timed out" },
    { unknown: "timed out" },
    { unknown: expect.any(String) },
    { value: "Linux" },
  ]);
});

it("is not held up by a pipe among the files", async () => {
  using place = emptyPlace();
  execFileSync("mkfifo", [place.at("pipe")]);
  writeFileSync(place.at("file"), "x");
  await using worker = await localWorker(place);

  const answers = await worker.ask(
    { kind: "file", about: place.at("pipe") },
    { kind: "digest", about: place.at("pipe") },
    { kind: "file", about: place.at("file") },
  );

  expect(answers).toEqual([
    { unknown: "is not a regular file" },
    { unknown: "is not a regular file" },
    { value: "x" },
  ]);
});

it("bounds what it keeps of a flood, on either stream", async () => {
  using place = emptyPlace();
  await using worker = await localWorker(place);

  const answers = await worker.ask(
    { kind: "query", about: { argv: ["head", "-c", "300000000", "/dev/zero"] } },
    { kind: "query", about: { argv: ["sh", "-c", "head -c 50000000 /dev/zero >&2; exit 3"] } },
    { kind: "query", about: { argv: ["head", "-c", "1048576", "/dev/zero"] } },
  );

  expect(answers[0]).toEqual({ unknown: expect.stringContaining("truncated") });
  expect(answers[1]).toMatchObject({ value: { code: expect.any(Number), stdout: "" } });
  expect((answers[1] as { value: { stderr: string } }).value.stderr.length).toBeLessThanOrEqual(262_144);
  expect(answers[2]).toMatchObject({ value: { code: 0 } });
});

it("keeps the facts that came before too many bytes of files", async () => {
  using place = emptyPlace();
  const names = Array.from({ length: 12 }, (_, at) => `file-${at}`);
  for (const name of names) writeFileSync(place.at(name), "x".repeat(1024 * 1024));
  await using worker = await localWorker(place);

  const answers = await worker.ask(
    ...names.map((name) => ({ kind: "file" as const, about: place.at(name) })),
    {
      kind: "sysctl",
      about: "kernel.ostype",
    },
  );

  const kinds = answers.map((answer) => ("unknown" in answer ? answer.unknown.split(":")[0] : "known"));
  expect(kinds).toEqual([
    ...Array.from({ length: 7 }, () => "known"),
    ...Array.from({ length: 5 }, () => "truncated"),
    "known",
  ]);
});

function times(about: (at: number) => FactRequest): FactRequest[] {
  return Array.from({ length: 40 }, (_, at) => about(at));
}
