import { emptyMachine, type FakeHost } from "./fake-host.ts";

/** A machine in memory with a read-only root, whose script of the window does what the real one does to mounts. */
export function maintainedMachine(work: () => number = () => 0): FakeHost {
  const host = emptyMachine();
  const root = (option: "ro" | "rw") =>
    host.mounts.set("/", { source: "/dev/vda2", fsType: "ext4", options: [option, "relatime"] });
  host.files.write("/etc/fstab", "LABEL=root / ext4 ro,errors=remount-ro 0 1\n");
  root("ro");
  host.program("date", () => ({ stdout: "1000\n" }));
  host.program("sh", ([, , verb, seconds, owner]) => {
    if (verb === "open") {
      host.files.write("/run/provision-maintenance/window", `${owner}\n${1000 + Number(seconds)}\n`);
      root("rw");
    } else if (verb === "close") {
      host.files.remove("/run/provision-maintenance/window");
      root("ro");
    } else if (verb === "work") return work();
    return 0;
  });
  return host;
}
