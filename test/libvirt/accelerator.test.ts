import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { chooseAccelerator, giveUpKvm, type Probe } from "../../src/provisioner/libvirt/accelerator.ts";

let folder = "";
let path = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "provision-accel-"));
  path = join(folder, "deep", "accelerator.json");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const ran: Probe = { ran: true };
const died: Probe = { ran: false, why: "QEMU died", sure: true };
const unsure: Probe = { ran: false, why: "the disk is full", sure: false };
const question = (probe: Probe, changes: object = {}) => ({
  wish: undefined,
  listed: true,
  memory: { path, key: "boot-1" },
  probe: vi.fn<() => Promise<Probe>>(async () => probe),
  ...changes,
});

it.each([
  ["takes KVM when the probe guest ran", question(ran), "kvm", /ran under KVM/],
  ["takes TCG when the probe guest died", question(died), "tcg", /QEMU died/],
  ["takes TCG when libvirt lists no KVM", question(ran, { listed: false }), "tcg", /no KVM/],
  ["obeys the wish for KVM", question(died, { wish: "kvm" }), "kvm", /PROVISION_ACCEL=kvm/],
  ["obeys the wish for TCG", question(ran, { wish: "tcg" }), "tcg", /PROVISION_ACCEL=tcg/],
  ["finds out by itself when the wish is auto", question(ran, { wish: "auto" }), "kvm", /probe/],
  [
    "says that it did not probe another machine",
    question(ran, { probe: undefined }),
    "kvm",
    /another machine/,
  ],
] as const)("%s", async (_title, asked, accelerator, why) => {
  const memory = asked.memory && { ...asked.memory, path };

  const choice = await chooseAccelerator({ ...asked, memory });

  expect(choice).toMatchObject({ accelerator, why: expect.stringMatching(why) });
});

it("does not probe when it is told which, or when there is no KVM", async () => {
  const told = question(ran, { wish: "tcg" });
  const none = question(ran, { listed: false });

  await chooseAccelerator(told);
  await chooseAccelerator(none);

  expect([told.probe, none.probe].map((probe) => probe.mock.calls)).toEqual([[], []]);
});

it("remembers that KVM was given up, whatever the probe had said", async () => {
  const asked = question(ran);
  await chooseAccelerator(asked);

  await giveUpKvm({ path, key: "boot-1" });

  expect(await chooseAccelerator({ ...asked, memory: { path, key: "boot-1" } })).toMatchObject({
    accelerator: "tcg",
    why: expect.stringContaining("stopped by it") as string,
  });
  expect(asked.probe).toHaveBeenCalledTimes(1);
});

it("remembers the answer until the machine boots again", async () => {
  const first = question(died);
  const second = question(ran);
  const afterReboot = question(ran, { memory: { path, key: "boot-2" } });

  await chooseAccelerator(first);
  const remembered = await chooseAccelerator(second);
  const anew = await chooseAccelerator(afterReboot);

  expect(remembered).toMatchObject({ accelerator: "tcg", why: expect.stringContaining("QEMU died") });
  expect(second.probe).not.toHaveBeenCalled();
  expect(anew.accelerator).toBe("kvm");
});

it("does not remember what says nothing about KVM", async () => {
  await chooseAccelerator(question(unsure));
  const later = await chooseAccelerator(question(ran));

  expect(later.accelerator).toBe("kvm");
});

it("probes again when the memory is damaged", async () => {
  await chooseAccelerator(question(died));
  await writeFile(path, (await readFile(path, "utf8")).slice(0, 10));

  const choice = await chooseAccelerator(question(ran));

  expect(choice.accelerator).toBe("kvm");
});

it("refuses a wish it does not know", async () => {
  await expect(chooseAccelerator(question(ran, { wish: "xen" }))).rejects.toMatchObject({
    code: "USAGE",
    message: expect.stringContaining('"xen"'),
  });
});
