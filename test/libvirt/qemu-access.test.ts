import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { checkQemuAccess, qemuUserFrom } from "../../src/provisioner/libvirt/qemu-access.ts";

const nobody = { uid: 65534, gid: 65534 };
let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "provision-access-"));
  await chmod(folder, 0o711);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("checkQemuAccess", () => {
  it("is content when every folder lets QEMU's user through", async () => {
    await mkdir(join(folder, "images"), { mode: 0o711 });

    await expect(checkQemuAccess(join(folder, "images", "disk.qcow2"), nobody)).resolves.toBeUndefined();
  });

  it("names the topmost folder that is closed", async () => {
    const closed = join(folder, "closed");
    await mkdir(join(closed, "images"), { recursive: true, mode: 0o700 });

    const checked = checkQemuAccess(join(closed, "images", "disk.qcow2"), nobody);

    await expect(checked).rejects.toMatchObject({
      code: "IMAGE_UNREADABLE",
      facts: { component: closed, user: "65534:65534" },
      mend: expect.stringContaining(`chmod o+x ${closed}`),
    });
  });
});

describe("qemuUserFrom", () => {
  it.each([
    [
      "the dac model's label",
      `<capabilities><host><secmodel><model>none</model></secmodel><secmodel><model>dac</model>
       <doi>0</doi><baselabel type='kvm'>+64055:+107</baselabel><baselabel type='qemu'>+64055:+107</baselabel>
       </secmodel></host></capabilities>`,
      { uid: 64055, gid: 107 },
    ],
    [
      "nobody without a dac model",
      "<capabilities><host><secmodel><model>none</model></secmodel></host></capabilities>",
      undefined,
    ],
    ["nobody without any model", "<capabilities><host/></capabilities>", undefined],
  ])("is %s", (_title, capabilities, user) => {
    expect(qemuUserFrom(capabilities)).toEqual(user);
  });
});
