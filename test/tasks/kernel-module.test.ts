import { describe, expect, it } from "vitest";

import { kernelModule } from "../../src/tasks/kernel-module.ts";
import { emptyMachine } from "../support/fake-host.ts";
import { accepts, settle } from "../support/tasks.ts";

const settings = "/etc/modprobe.d/provision-kvm_intel.conf";
const load = "/etc/modules-load.d/provision-kvm_intel.conf";

describe("kernel-module", () => {
  it("sets the options before it loads the module", async () => {
    const host = emptyMachine();

    await settle(kernelModule, { name: "kvm_intel", options: "nested=1" }, host);

    expect(host.journal).toEqual([`write ${settings}`, `write ${load}`, "run modprobe kvm_intel"]);
    expect(host.files.read(settings)).toBe("options kvm_intel nested=1\n");
  });

  it("takes a hyphen for the kernel's underscore", async () => {
    const host = emptyMachine();
    host.modules.add("kvm_intel");
    host.files.write(load, "kvm-intel\n");

    expect(await settle(kernelModule, { name: "kvm-intel" }, host)).toMatchObject({ changed: 0 });
  });

  it("need not know what is loaded when the next boot is meant", async () => {
    const host = emptyMachine();
    host.unknown.set("module", "the running kernel has no list of what is built in");

    await expect(settle(kernelModule, { name: "a", state: "blacklisted" }, host)).resolves.toBeDefined();
    await expect(settle(kernelModule, { name: "a" }, host)).rejects.toMatchObject({ code: "FACT_UNKNOWN" });
  });

  it("loads nothing now when the next boot is meant", async () => {
    const host = emptyMachine();

    await settle(kernelModule, { name: "kvm_intel", state: "at-boot" }, host);

    expect(host.journal).toEqual([`write ${load}`]);
  });

  it("turns a module that was loaded at boot into a blacklisted one", async () => {
    const host = emptyMachine();
    await settle(kernelModule, { name: "kvm_intel", options: "nested=1" }, host);

    await settle(kernelModule, { name: "kvm_intel", state: "blacklisted" }, host);

    expect(host.files.read(settings)).toBe("blacklist kvm_intel\n");
    expect(host.files.stat(load)).toBeUndefined();
    expect(host.modules.has("kvm_intel")).toBe(true);
  });

  it("fails with modprobe's words when the kernel has no such module", async () => {
    const host = emptyMachine();
    host.program("modprobe", () => ({ code: 1, stderr: "modprobe: FATAL: Module none not found" }));

    await expect(settle(kernelModule, { name: "none" }, host)).rejects.toMatchObject({
      facts: { tail: "modprobe: FATAL: Module none not found" },
    });
  });

  it.each([
    { name: "" },
    { name: "../x" },
    { name: "-r" },
    { name: "kvm", options: "a\ninstall kvm x" },
    { name: "kvm", options: " " },
  ])("refuses %j", (params) => {
    expect(accepts(kernelModule, params)).toBe(false);
  });
});
