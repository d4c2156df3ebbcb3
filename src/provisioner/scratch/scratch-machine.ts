import type { Host } from "../core/host.ts";
import type { Run } from "../core/run.ts";

/**
 * A machine to try things on, which can be made as it was when it was new. Whoever disposes of it leaves it as later
 * runs can take it again; nothing of it runs on, but after `keep`.
 */
export interface ScratchMachine extends AsyncDisposable {
  /** For people: provision-scratch-0a1b2c3d. */
  readonly name: string;
  /** The base it was made from: an entry of versions.yaml. */
  readonly base: string;
  /** As package URLs have it: debian-13. */
  readonly distribution: string;
  /** Hardware address of its network card. */
  readonly mac: string;
  /** The connection to work on; another one after each reset. At first the machine is as it was. */
  readonly host: Host;
  /** For people: how to get in by hand. */
  readonly sshLine: string;
  /** Makes it as it was; nothing to do while nobody has asked for its host. */
  reset(run: Run): Promise<void>;
  /** Leaves it running, as it is, for somebody to look into. */
  keep(): void;
}
