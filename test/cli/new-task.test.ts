import { cp, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { execa } from "execa";
import { beforeEach, describe, expect, it } from "vitest";

import { makeTask } from "../../src/provisioner/cli/new-task/make-task.ts";
import { skeletonFolder } from "../../src/provisioner/cli/new-task/skeleton.ts";
import { scratchFolder } from "../support/scratch-folder.ts";
import { root } from "../support/source-files.ts";

let copy: string;
beforeEach(async () => {
  copy = await scratchFolder();
  await mkdir(join(copy, "test/tasks"), { recursive: true });
  await mkdir(join(copy, "test/support"));
  await mkdir(join(copy, "src/tasks"), { recursive: true });
  await cp(join(root, "src/tasks/index.ts"), join(copy, "src/tasks/index.ts"));
  await cp(join(root, skeletonFolder), join(copy, skeletonFolder), { recursive: true });
});

const index = () => readFile(join(copy, "src/tasks/index.ts"), "utf8");
/** The names of the list, by the imports. */
const listed = (text: string) => /readonly Task\[\] = \[\n([^\]]*)\];/.exec(text)?.[1]?.match(/\w+/g);

describe("a new task", () => {
  it("is a module, a test, a fixture and an entry in the registry", async () => {
    expect(await makeTask("clock-source", copy)).toEqual([
      "src/tasks/clock-source.ts",
      "test/tasks/clock-source.test.ts",
      "test/support/some-clock-source.ts",
      "src/tasks/index.ts",
    ]);
    expect(await index()).toContain('import { clockSource } from "./clock-source.ts";\n');
    expect(await readFile(join(copy, "src/tasks/clock-source.ts"), "utf8")).toContain(
      'export const clockSource = defineTask({\n  name: "clock-source",',
    );
  });

  it.each(["aaa", "apt-zoo", "zzz", "grou", "a-very-long-name-of-new-things"])(
    "called %s stands where the alphabet has it",
    async (name) => {
      const before = listed(await index()) ?? [];

      await makeTask(name, copy);

      const after = listed(await index()) ?? [];
      const kebab = (id: string) => id.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      expect(after).toHaveLength(before.length + 1);
      expect(after.map(kebab)).toEqual(after.map(kebab).toSorted());
      const paths = [...(await index()).matchAll(/from "(\.\/[^"]+)"/g)].map(([, path = ""]) => path);
      expect(paths).toEqual(paths.toSorted());
    },
  );

  it("is formatted as the formatter does it", async () => {
    await makeTask("note", copy);
    await makeTask("a-very-long-name-of-new-things", copy);

    const { stdout, exitCode } = await execa(
      join(root, "node_modules/.bin/oxfmt"),
      ["--check", "--config", join(root, ".oxfmtrc.json"), "src/tasks", "test"],
      { cwd: copy, reject: false },
    );

    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/7 files/)]);
  });

  it.each(["Clock", "clock_source", "clock-", "", "a1", "class", "../x", "x".repeat(31)])(
    "is not called %j",
    async (name) => {
      await expect(makeTask(name, copy)).rejects.toMatchObject({ code: "USAGE" });
    },
  );

  it("does not take the place of one that is there", async () => {
    await makeTask("note", copy);
    const before = await index();
    await mkdir(join(copy, "src/tasks/folder"));

    await expect(makeTask("note", copy)).rejects.toMatchObject({
      message: expect.stringContaining("src/tasks/note.ts must not be there yet"),
    });
    await expect(makeTask("folder", copy)).rejects.toMatchObject({ code: "USAGE" });
    expect(await index()).toBe(before);
  });

  it("is made in the sources alone", async () => {
    await expect(makeTask("note", await scratchFolder())).rejects.toMatchObject({
      code: "USAGE",
      mend: expect.stringContaining("Clone the repository"),
    });
  });
});
