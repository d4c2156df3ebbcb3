import { execFile } from "node:child_process";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { expect, it } from "vitest";

import { maintenanceSentence } from "../../src/provisioner/image/maintenance.ts";
import { stateLayout } from "../../src/provisioner/core/state-layout.ts";
import { shippedTemplates } from "../support/bases.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

const READ_ONLY = "ro,relatime,errors=remount-ro";
const WRITABLE = "rw,relatime,errors=remount-ro";

it.each([
  ["install", "tree"],
  ["full-upgrade"],
  ["purge", "tree"],
  ["update"],
  ["satisfy", "tree (>= 2)"],
  ["clean"],
  ["-y", "install", "tree"],
  ["install", "-y", "tree"],
  ["-o", "Dpkg::Use-Pty=0", "install", "tree"],
  ["-oDpkg::Use-Pty=0", "install", "tree"],
  ["-qyo", "Dpkg::Use-Pty=0", "install", "tree"],
  ["-q=2", "-t", "trixie", "install", "tree"],
  ["--option=APT::Get::Simulate=false", "--target-release", "trixie", "upgrade"],
  ["--download-only", "install", "tree"],
  ["-f", "install"],
])("refuses %s %s %s on a read-only root, and says what to do", async (...args) => {
  const apt = await guard(READ_ONLY);

  await expect(apt(...args)).rejects.toMatchObject({ code: 100, stderr: `E: ${maintenanceSentence}\n` });
});

it.each([
  ["policy", "my-install-tool"],
  ["policy", "install"],
  ["-o", "install", "policy"],
  ["list", "--installed"],
  ["download", "update"],
  ["--simulate", "install", "tree"],
  ["install", "-s", "tree"],
  ["-ys", "install", "tree"],
  ["--print-uris", "update"],
  ["install", "--help"],
  [],
])("hands %s %s %s, which only looks, on to apt on a read-only root", async (...args) => {
  const apt = await guard(READ_ONLY);

  expect(await apt(...args)).toBe(`apt-get ${args.join(" ")}\n`);
});

it("hands everything on while root is writable, though it would be remounted on errors", async () => {
  const apt = await guard(WRITABLE);

  expect(await apt("install", "tree")).toBe("apt-get install tree\n");
});

it("stands in for apt as well, and is apt then", async () => {
  const refusing = await guard(READ_ONLY, "apt");
  const writable = await guard(WRITABLE, "apt");

  await expect(refusing("full-upgrade")).rejects.toMatchObject({ code: 100 });
  expect(await writable("full-upgrade")).toBe("apt full-upgrade\n");
});

/** The guard, with a stand-in for apt-get and for what findmnt says of root. */
async function guard(options: string, name = "apt-get"): Promise<(...args: string[]) => Promise<string>> {
  const folder = await scratchFolder();
  const script = shippedTemplates("base/apt-guard", { ...stateLayout, maintenanceSentence }).replaceAll(
    "/usr/bin/",
    `${folder}/bin/`,
  );
  await mkdir(join(folder, "bin"));
  await program(join(folder, name), script);
  await program(join(folder, "bin", name), `#!/bin/sh\necho "${name} $*"\n`);
  await program(join(folder, "bin/findmnt"), `#!/bin/sh\necho "${options}"\n`);
  return async (...args) => {
    const env = { PATH: `${folder}/bin:/usr/bin:/bin` };
    return (await promisify(execFile)(join(folder, name), args, { env })).stdout;
  };
}

async function program(path: string, text: string): Promise<void> {
  await writeFile(path, text);
  await chmod(path, 0o755);
}
