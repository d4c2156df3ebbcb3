import type { LibvirtDriver } from "../../libvirt/libvirt-driver.ts";
import { type GuestFlags, openHypervisor } from "../open-hypervisor.ts";
import type { Shell } from "../shell.ts";

/** Every hypervisor that a run works with, each opened once, when it is first asked for. */
export interface Hypervisors<Driver = LibvirtDriver> {
  at(uri: string): Promise<Driver>;
}

/** What a hypervisor may take to answer while others wait to be told: somebody looks at a screen. */
export const patience = { openMs: 15_000, callMs: 30_000 };

/** Opens hypervisors as they are asked for; disposing closes them. */
export function openHypervisors(
  shell: Shell,
  flags: Pick<GuestFlags, "accel"> = {},
  deadlines: Parameters<typeof openHypervisor>[2] = {},
): Hypervisors & AsyncDisposable {
  const opened = new Map<string, Promise<LibvirtDriver>>();
  return {
    at(uri) {
      const known = opened.get(uri);
      if (known !== undefined) return known;
      const driver = openHypervisor(shell, { ...flags, connect: uri }, deadlines);
      opened.set(uri, driver);
      return driver;
    },
    async [Symbol.asyncDispose]() {
      for (const driver of await Promise.allSettled(opened.values()))
        if (driver.status === "fulfilled") await driver.value[Symbol.asyncDispose]();
    },
  };
}
