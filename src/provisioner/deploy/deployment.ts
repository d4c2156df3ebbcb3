import type { Recipe } from "../core/recipe.ts";
import type { Run } from "../core/run.ts";
import type { Sources } from "../core/sources.ts";
import type { LibvirtDriver } from "../libvirt/libvirt-driver.ts";
import type { HostSpec } from "../spec/host-spec.ts";
import type { HostDriver } from "./deployed-host.ts";
import type { HostLine } from "./host-line.ts";
import type { reachHost } from "./reach-host.ts";
import type { SourceImage } from "./source-image.ts";

/** What deploying needs of a hypervisor. */
export type DeployDriver = HostDriver &
  Pick<LibvirtDriver, "accelerator" | "fallsBack" | "startNetwork" | "devices">;

/** One host to be deployed, with all that is needed for it. */
export interface Deployment {
  readonly spec: HostSpec;
  readonly driver: DeployDriver;
  readonly line: HostLine;
  /** Lines of authorized_keys, by user. */
  readonly authorizedKeys: ReadonlyMap<string, readonly string[]>;
  /** The host's identity and its tasks; `gone` are users of before who may no longer log in. */
  readonly recipe: (gone: readonly string[]) => Recipe;
  readonly sources: Sources;
  /** The image that the host's file names; looked for when it matters. */
  readonly image: () => Promise<SourceImage>;
  /** A system disk may be made anew, with what is on it lost. */
  readonly replace: boolean;
  /** Leave a host that does not come up, to be looked into. */
  readonly keepOnError: boolean;
  /** Who works on the host, for whoever finds it locked. */
  readonly owner: string;
  /** For locks and what is made on the way; on this machine. */
  readonly workDir: string;
  /** Logs in to the host's machine once it lets us. */
  readonly reach: typeof reachHost;
  /** Writes the host's key down where `ssh` finds it. */
  readonly remember: (name: string, hostKey: string) => Promise<void>;
  readonly run: Run;
}
