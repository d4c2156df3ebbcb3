import { execFile } from "node:child_process";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { expect, it } from "vitest";

import { stateLayout } from "../../src/provisioner/core/state-layout.ts";
import { shippedTemplates } from "../support/bases.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

const READ_ONLY = "ro,relatime,errors=remount-ro";
const WRITABLE = "rw,relatime,errors=remount-ro";

it.each(["install", "full-upgrade", "purge", "update"])("refuses %s on a read-only root", async (verb) => {
  const apt = await guard(READ_ONLY);

  await expect(apt("-o", "Dpkg::Use-Pty=0", verb, "tree")).rejects.toMatchObject({
    code: 100,
    stderr: expect.stringContaining("packages belong in the image") as string,
  });
});

it("hands a look on to apt on a read-only root", async () => {
  const apt = await guard(READ_ONLY);

  expect(await apt("policy", "my-install-tool")).toBe("apt-get policy my-install-tool\n");
});

it("hands everything on while root is writable, though it would be remounted on errors", async () => {
  const apt = await guard(WRITABLE);

  expect(await apt("install", "tree")).toBe("apt-get install tree\n");
});

/** The guard, with a stand-in for apt-get and for what findmnt says of root. */
async function guard(options: string): Promise<(...args: string[]) => Promise<string>> {
  const folder = await scratchFolder();
  const script = shippedTemplates("base/apt-guard", stateLayout).replaceAll("/usr/bin/", `${folder}/bin/`);
  await mkdir(join(folder, "bin"));
  await program(join(folder, "apt-get"), script);
  await program(join(folder, "bin/apt-get"), '#!/bin/sh\necho "apt-get $*"\n');
  await program(join(folder, "bin/findmnt"), `#!/bin/sh\necho "${options}"\n`);
  return async (...args) => {
    const env = { PATH: `${folder}/bin:/usr/bin:/bin` };
    return (await promisify(execFile)(join(folder, "apt-get"), args, { env })).stdout;
  };
}

async function program(path: string, text: string): Promise<void> {
  await writeFile(path, text);
  await chmod(path, 0o755);
}
