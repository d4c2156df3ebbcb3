import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { copyFile } from "node:fs/promises";
import { dirname } from "node:path";

import { expect, it } from "vitest";

import { write } from "../../src/provisioner/core/task.ts";
import { emptyPlace, localWorker } from "../support/local-worker.ts";

const done = { kind: "done" };
const asMe = { owner: String(process.getuid?.() ?? 0), group: String(process.getgid?.() ?? 0) };

it("writes with mode and owner, over what is there, and leaves no temporary file", async () => {
  using place = emptyPlace();
  writeFileSync(place.at("file"), "old", { mode: 0o666 });
  await using worker = await localWorker(place);

  const { landing } = await worker.act(write(place.at("file"), "new", { mode: "0640", ...asMe }));

  expect(landing).toEqual(done);
  expect(place.contents()).toEqual(["file"]);
  expect(readFileSync(place.at("file"), "utf8")).toBe("new");
  expect(statSync(place.at("file")).mode & 0o7777).toBe(0o640);
});

it.each([
  ["writes when the file is what was planned on", "old", sha("old"), done],
  ["writes when nothing was there", undefined, null, done],
  ["stops when the file changed", "other", sha("old"), { kind: "changed-underneath" }],
  ["stops when the file is gone", undefined, sha("old"), { kind: "changed-underneath" }],
  ["stops when a file came", "came", null, { kind: "changed-underneath" }],
])("%s", async (_, before, expects, landing) => {
  using place = emptyPlace();
  if (before !== undefined) writeFileSync(place.at("file"), before);
  await using worker = await localWorker(place);

  const landed = await worker.act(write(place.at("file"), "new", asMe), expects);

  expect(landed.landing).toEqual(landing);
  const after = existsSync(place.at("file")) ? readFileSync(place.at("file"), "utf8") : undefined;
  expect(after).toBe(landing === done ? "new" : before);
  expect(place.contents()).toEqual(after === undefined ? [] : ["file"]);
});

it("leaves the old file and no other when the new one cannot be finished", async () => {
  using place = emptyPlace();
  writeFileSync(place.at("file"), "old");
  await using worker = await localWorker(place);

  const { landing } = await worker.act(write(place.at("file"), "new", { owner: "no-such-user" }));

  expect(landing).toMatchObject({ kind: "failed", tail: expect.stringContaining("no-such-user") });
  expect(readFileSync(place.at("file"), "utf8")).toBe("old");
  expect(place.contents()).toEqual(["file"]);
});

it("fails when the parent is missing or a directory is in the place", async () => {
  using place = emptyPlace();
  mkdirSync(place.at("dir"));
  await using worker = await localWorker(place);

  const missing = await worker.act(write(place.at("none/file"), "x", asMe));
  const inPlace = await worker.act(write(place.at("dir"), "x", asMe));

  expect(missing.landing).toMatchObject({ kind: "failed", tail: expect.stringContaining("No such file") });
  expect(inPlace.landing).toMatchObject({ kind: "failed", tail: expect.stringContaining("directory") });
  expect(place.contents()).toEqual(["dir"]);
});

it("uploads bytes, and refuses those that arrive damaged", async () => {
  using place = emptyPlace();
  const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, at) => at % 256));
  writeFileSync(place.at("source"), bytes);
  await using worker = await localWorker(place);
  const source = { path: place.at("source"), size: bytes.length, sha256: sha(bytes) };

  const good = await worker.act({ kind: "upload", path: place.at("good"), source, ...asMe });
  const bad = await worker.act({
    kind: "upload",
    path: place.at("bad"),
    source: { ...source, sha256: sha("else") },
    ...asMe,
  });

  expect(good.landing).toEqual(done);
  expect(readFileSync(place.at("good"))).toEqual(bytes);
  expect(bad.landing).toMatchObject({ kind: "failed", tail: expect.stringContaining("arrived damaged") });
  expect(place.contents()).toEqual(["good", "source"]);
  expect(readdirSync(`${place.root}/drop.${worker.options.token}`)).toEqual([]);
});

it("sends big files past /run, and cleans up behind them", async () => {
  using place = emptyPlace();
  const bytes = Buffer.alloc(17 * 1024 * 1024, "provision ");
  writeFileSync(place.at("source"), bytes);
  const places: string[] = [];
  await using worker = await localWorker(place, {
    upload: (from, to) => {
      places.push(dirname(to));
      return copyFile(from, to);
    },
  });
  const source = { path: place.at("source"), size: bytes.length, sha256: sha(bytes) };

  const { landing } = await worker.act({ kind: "upload", path: place.at("big"), source, ...asMe });

  expect(landing).toEqual(done);
  expect(sha(readFileSync(place.at("big")))).toBe(source.sha256);
  expect(places).toEqual([expect.stringMatching(/^\/var\/tmp\/provision\.[0-9a-f]{32}$/)]);
  expect(existsSync(places[0] ?? "")).toBe(false);
});

it("makes directories with their parents, and sets only what is given on one that is there", async () => {
  using place = emptyPlace();
  mkdirSync(place.at("there"), { mode: 0o701 });
  await using worker = await localWorker(place);

  const made = await worker.act({ kind: "directory", path: place.at("a/b c/d"), mode: "2750", ...asMe });
  const left = await worker.act({ kind: "directory", path: place.at("there") });
  const set = await worker.act({ kind: "directory", path: place.at("there"), mode: "0711" });

  expect([made.landing, left.landing, set.landing]).toEqual([done, done, done]);
  expect(statSync(place.at("a/b c/d")).mode & 0o7777).toBe(0o2750);
  expect(statSync(place.at("a/b c")).mode & 0o7777).toBe(0o755);
  expect(statSync(place.at("there")).mode & 0o7777).toBe(0o711);
});

it("makes a link, or puts it in the place of another", async () => {
  using place = emptyPlace();
  symlinkSync("before", place.at("link"));
  await using worker = await localWorker(place);

  const { landing } = await worker.act({ kind: "symlink", path: place.at("link"), target: "-to $it" });

  expect(landing).toEqual(done);
  expect(readlinkSync(place.at("link"))).toBe("-to $it");
  expect(place.contents()).toEqual(["link"]);
});

it("sets mode and leaves the content", async () => {
  using place = emptyPlace();
  writeFileSync(place.at("file"), "x", { mode: 0o600 });
  symlinkSync("file", place.at("link"));
  await using worker = await localWorker(place);

  const { landing } = await worker.act({
    kind: "attributes",
    path: place.at("file"),
    mode: "4711",
    ...asMe,
  });
  const link = await worker.act({ kind: "attributes", path: place.at("link"), mode: "0777" });

  expect(landing).toEqual(done);
  expect(link.landing).toMatchObject({ kind: "failed", tail: expect.stringContaining("symbolic link") });
  expect(statSync(place.at("file")).mode & 0o7777).toBe(0o4711);
});

it("removes trees and links, not what links lead to, and is content when nothing is there", async () => {
  using place = emptyPlace();
  mkdirSync(place.at("tree/deep"), { recursive: true });
  mkdirSync(place.at("kept"));
  writeFileSync(place.at("kept/file"), "x");
  symlinkSync(place.at("kept"), place.at("tree/deep/link"));
  symlinkSync(place.at("kept"), place.at("link"));
  await using worker = await localWorker(place);

  for (const name of ["tree", "link", "none"]) {
    const { landing } = await worker.act({ kind: "remove", path: place.at(name) });
    expect(landing).toEqual(done);
  }

  expect(place.contents()).toEqual(["kept"]);
  expect(existsSync(place.at("kept/file"))).toBe(true);
});

it.skipIf(!canMount())("removes nothing where something is mounted below", async () => {
  using place = emptyPlace();
  mkdirSync(place.at("tree/mounted here/x"), { recursive: true });
  writeFileSync(place.at("tree/file"), "x");
  execFileSync("mount", ["--bind", place.at("tree/mounted here/x"), place.at("tree/mounted here")]);
  await using worker = await localWorker(place);

  try {
    const { landing } = await worker.act({ kind: "remove", path: place.at("tree") });

    expect(landing).toMatchObject({ kind: "failed", tail: expect.stringContaining("tree/mounted here") });
    expect(existsSync(place.at("tree/file"))).toBe(true);
  } finally {
    execFileSync("umount", [place.at("tree/mounted here")]);
  }
});

function sha(bytes: string | Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function canMount(): boolean {
  try {
    execFileSync("unshare", ["-m", "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
