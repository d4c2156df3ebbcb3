import { expect, it } from "vitest";

import type { Errand } from "../../src/provisioner/core/host.ts";
import { run, write } from "../../src/provisioner/core/task.ts";
import { emptyPlace, localWorker, type Place } from "../support/local-worker.ts";

const done = { kind: "done" };

const cases: [string, (place: Place) => Errand][] = [
  ["a relative path", () => write("etc/hosts", "x")],
  ["a path that climbs", (place) => write(`${place.path}/a/../b`, "x")],
  ["NUL in a path", (place) => write(place.at("a\0b"), "x")],
  ["NUL in a text", (place) => write(place.at("a"), "x\0y")],
  ["half a surrogate in a text", (place) => write(place.at("a"), "x\ud800")],
  ["NUL in an argument", () => run("echo", "a\0b")],
  ["NUL in standard input", () => ({ kind: "run", command: { argv: ["cat"], stdin: "\0" } })],
  ["a variable that is no name", () => ({ kind: "run", command: { argv: ["env"], env: { "A;B": "x" } } })],
  ["a mode that is none", (place) => write(place.at("a"), "x", { mode: "644" })],
  ["an owner that is none", (place) => write(place.at("a"), "x", { owner: "a:b" })],
  ["an empty link", (place) => ({ kind: "symlink", path: place.at("a"), target: "" })],
  ["removing the root", () => ({ kind: "remove", path: "//./" })],
  ["removing /usr", () => ({ kind: "remove", path: "/usr/" })],
  ["writing to the root", () => write("/", "x")],
];

it.each(cases)("refuses %s before anything is sent", async (_, action) => {
  using place = emptyPlace();
  await using worker = await localWorker(place);

  const flight = worker.fly({
    orders: [
      { id: "first", action: run("touch", place.at("touched")) },
      { id: "bad", action: action(place) },
    ],
    facts: [],
  });

  await expect(flight).rejects.toMatchObject({ code: "ACTION_REFUSED", exitCode: 2 });
  expect(place.contents()).toEqual([]);
  expect((await worker.act(run("true"))).landing).toEqual(done);
});
