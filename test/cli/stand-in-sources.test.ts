import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { beforeEach, expect, it } from "vitest";

import { standInSources } from "../../src/provisioner/cli/stand-in-sources.ts";
import { Redactor } from "../../src/provisioner/core/redactor.ts";
import type { Sources } from "../../src/provisioner/core/sources.ts";
import { digestOf } from "../../src/provisioner/core/task.ts";
import { scratchFolder } from "../support/scratch-folder.ts";
import { sourcesOf } from "../support/tasks.ts";

let redactor: Redactor;
let sources: Sources;
beforeEach(async () => {
  redactor = new Redactor();
  sources = standInSources({
    folder: join(await scratchFolder(), "stand-ins"),
    templates: ["units/agent.service"],
    render: (name) => `the real ${name}\n`,
    redactor,
    pins: sourcesOf(),
  });
});

it("gives a file that is there, with the digest of its bytes", async () => {
  const { path, sha256, size } = await sources.source("files/backup.sh");
  const bytes = await readFile(path);

  expect([digestOf(bytes), bytes.length]).toEqual([sha256, size]);
  expect(await sources.text("files/backup.sh")).toBe(bytes.toString());
  expect(bytes.toString()).toMatch(/^#!\/bin\/sh\n.*files\/backup\.sh/);
});

it("fills in the templates that there are, and stands in for others", () => {
  expect(sources.template("units/agent.service", {})).toBe("the real units/agent.service\n");
  expect(sources.template("app.conf", { port: 8080 })).toBe('# app.conf\n{"port":8080}\n');
});

it("makes up secrets, another for each source, that nobody gets to see", async () => {
  const [one, other] = await Promise.all([
    sources.secret({ command: ["pass", "show", "a"] }),
    sources.secret({ file: "~/b" }),
  ]);

  expect(Buffer.from(one, "base64")).toHaveLength(32);
  expect(one).not.toBe(other);
  expect(redactor.text(`it is ${one}`)).toBe("it is ***");
});
