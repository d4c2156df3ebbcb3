import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { beforeEach, describe, expect, it } from "vitest";

import { type Asked, readTrials } from "../../src/provisioner/cli/read-trials.ts";
import { Redactor } from "../../src/provisioner/core/redactor.ts";
import { tasks } from "../../src/tasks/index.ts";
import { fakeShell } from "../support/fake-shell.ts";
import { scratchFolder } from "../support/scratch-folder.ts";
import { root } from "../support/source-files.ts";

let folder: string;
beforeEach(async () => {
  folder = await scratchFolder();
});

async function read(operands: readonly string[], flags: Asked["flags"] = {}) {
  const shell = fakeShell(folder, { PROVISION_HOME: root });
  const work = await readTrials({ flags, operands, shell, redactor: new Redactor(), cacheDir: folder });
  await work[Symbol.asyncDispose]();
  return { base: work.base, trials: work.trialsOn({ mac: "52:54:00:12:34:56" }) };
}

describe("the trials of tasks", () => {
  it("are those of every example of every task when none is named, on Debian 13", async () => {
    const { base, trials } = await read([]);

    expect(base).toBe("debian-13");
    expect(trials).toHaveLength(tasks.flatMap(({ examples }) => examples).length);
  });

  it("are those of the named ones, in the order of the command line, on the base that is named", async () => {
    const { base, trials } = await read(["sysctl", "absent"], { base: "debian-12" });

    expect(base).toBe("debian-12");
    expect([...new Set(trials.map(({ subject }) => subject))]).toEqual(["sysctl", "absent"]);
  });

  it("leave nothing of their stand-ins", async () => {
    await read(["file"]);

    expect(await readdir(join(folder, "scratch"))).toEqual([]);
  });

  it("are none of a task that nobody knows, nor on a base that nobody knows", async () => {
    await expect(read(["sysctll"])).rejects.toMatchObject({ code: "USAGE", mend: 'Name "sysctl"' });
    await expect(read([], { base: "debian-11" })).rejects.toMatchObject({ code: "BASE_UNKNOWN" });
  });
});

describe("the trials of a spec", () => {
  const spec = async (text: string) => {
    await mkdir(join(folder, "specs"), { recursive: true });
    await writeFile(join(folder, "specs/web.yaml"), text);
    return join(folder, "specs/web.yaml");
  };
  const uses = "base: debian-12\ntasks:\n  - group: {name: a}\n  - file: {path: /etc/motd, content: hello}\n";

  it("are its uses, on its own base unless another is named", async () => {
    const path = await spec(uses);

    const own = await read([], { spec: path });
    const other = await read([], { spec: path, base: "debian-13" });

    expect([own.base, other.base]).toEqual(["debian-12", "debian-13"]);
    expect(own.trials.map(({ title }) => title)).toEqual(["group a", "file /etc/motd", "all together"]);
  });

  it("are those of the named tasks or uses alone", async () => {
    const { trials } = await read(["file"], { spec: await spec(uses) });

    expect(trials.map(({ title }) => title)).toEqual(["file /etc/motd"]);
  });
});
