import type { ScratchMachine } from "../../src/provisioner/scratch/scratch-machine.ts";
import { emptyMachine, type FakeHost } from "./fake-host.ts";

/** A scratch machine in memory: each reset gives another empty machine. */
export interface FakeScratch extends ScratchMachine {
  readonly host: FakeHost;
  readonly resets: () => number;
  /** Done to each machine before it is handed out. */
  prepare: (host: FakeHost) => void;
}

export function fakeScratch(): FakeScratch {
  let host = emptyMachine();
  let resets = 0;
  const scratch: FakeScratch = {
    name: "provision-scratch-fake",
    base: "debian-13",
    distribution: "debian-13",
    mac: "52:54:00:12:34:56",
    sshLine: "ssh visitor@192.0.2.1",
    get host() {
      return host;
    },
    resets: () => resets,
    prepare: () => {},
    async reset() {
      resets += 1;
      host = emptyMachine();
      host.program("date", () => ({ stdout: "1000.5\n" }));
      host.program("find", () => 0);
      host.program("spoil", ([, path = ""], on) =>
        on.files.write(path, `${on.files.read(path)}\n# spoiled\n`),
      );
      scratch.prepare(host);
    },
    keep: () => {},
    [Symbol.asyncDispose]: async () => {},
  };
  return scratch;
}
