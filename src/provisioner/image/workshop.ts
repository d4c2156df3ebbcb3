import type { Run } from "../core/run.ts";
import type { RenderTemplate } from "../core/templates.ts";
import type { Driver } from "../libvirt/driver.ts";
import type { BootedGuest, GuestPlan } from "./boot-guest.ts";

/** Where images are made: places on this machine and the way to the hypervisor. */
export interface Workshop {
  /** Published images. */
  readonly store: string;
  /** Throw-away disks; the hypervisor's user must be able to reach it. */
  readonly workDir: string;
  /** libvirt's network of builders. */
  readonly network: string;
  readonly renderTemplate: RenderTemplate;
  /** Connects to the hypervisor; not called when there is nothing to build. */
  openDriver(run: Run): Promise<Driver>;
  /** Boots a throw-away guest and logs in to it. */
  bootGuest(plan: GuestPlan): Promise<BootedGuest>;
}
