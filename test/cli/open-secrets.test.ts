import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, it } from "vitest";

import { noSecrets, openSecrets } from "../../src/provisioner/cli/open-secrets.ts";
import { Redactor } from "../../src/provisioner/core/redactor.ts";
import { fakeShell } from "../support/fake-shell.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

async function project() {
  const home = await scratchFolder();
  const dirs = ["one", "two"].map((name) => join(home, name));
  for (const dir of dirs) await mkdir(dir);
  const redactor = new Redactor();
  const shell = fakeShell(home, { PATH: "/usr/bin:/bin" });
  return { home, dirs, redactor, secrets: openSecrets(shell, dirs, redactor) };
}

it("finds a file beside any of the spec's files", async () => {
  const { dirs, secrets } = await project();
  await writeFile(join(dirs[1] ?? "", "key"), "hunter2\n");

  expect(await secrets.secret({ file: "key" })).toBe("hunter2\n");
});

it("says where a file that is missing was looked for", async () => {
  const { dirs, secrets } = await project();

  await expect(secrets.secret({ file: "key" })).rejects.toMatchObject({
    code: "SECRET_UNAVAILABLE",
    message: `Cannot take a secret from the file "key": must be a file in ${dirs.join(" or ")}, is missing: key`,
    mend: expect.stringContaining("0600") as string,
  });
});

it("does not choose between two files", async () => {
  const { dirs, secrets } = await project();
  for (const dir of dirs) await writeFile(join(dir, "key"), "hunter2\n");

  await expect(secrets.secret({ file: "key" })).rejects.toThrow("must be one file, is two");
});

it("reads each once, and sees to it that it is hidden before anybody has it", async () => {
  const { home, redactor, secrets } = await project();
  const count = ["sh", "-c", `echo x >>${home}/asked; echo hunter2`];

  expect(redactor.text("hunter2")).toBe("hunter2");
  const [one, other] = await Promise.all([
    secrets.secret({ command: count }),
    secrets.secret({ command: count }),
  ]);
  const again = await secrets.secret({ command: [...count] });

  expect([one, other, again]).toEqual(["hunter2\n", "hunter2\n", "hunter2\n"]);
  expect(await secrets.secret({ command: ["cat", join(home, "asked")] }).catch(String)).toContain(
    "is shorter",
  );
  expect(redactor.text("hunter2")).toBe("***");
});

it("gives none where there must be none", async () => {
  await expect(noSecrets.secret({ env: "TOKEN" })).rejects.toThrow('a use asks for the variable "TOKEN"');
});
