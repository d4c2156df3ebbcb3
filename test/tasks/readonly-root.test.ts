import { beforeEach, describe, expect, it } from "vitest";

import { readOnlyRoot } from "../../src/provisioner/core/read-only-root.ts";
import { stateLayout } from "../../src/provisioner/core/state-layout.ts";
import { readonlyRoot } from "../../src/tasks/readonly-root.ts";
import { emptyMachine, type FakeHost } from "../support/fake-host.ts";
import { accepts, planned, refusal, settle } from "../support/tasks.ts";

const { fstab } = stateLayout;
const open = `${fstab.root.open}\n${fstab.state.open}\n`;
const sealed = `${fstab.root.sealed}\n${fstab.state.sealed}\n`;
const initrd = "/boot/initrd.img-6.12.0-amd64";

let host: FakeHost;

/** A base of ours as it boots: root writable, everything in its place. */
beforeEach(async () => {
  host = emptyMachine();
  host.files.write("/etc/fstab", open);
  host.mounts.set("/", { source: "/dev/vda2", fsType: "ext4", options: ["rw"] });
  host.mounts.set(stateLayout.mountPoint, { source: "/dev/vda3", fsType: "ext4", options: ["rw"] });
  await settle(readonlyRoot, {}, host);
  host.journal.length = 0;
});

function seal(): void {
  host.files.write("/etc/fstab", sealed);
  host.mounts.set("/", { source: "/dev/vda2", fsType: "ext4", options: ["ro"] });
}

describe("readonly-root", () => {
  it("finds nothing to do on a base that has everything", async () => {
    expect(await settle(readonlyRoot, {}, host)).toMatchObject({ changed: 0, flights: 1 });
    expect(host.journal).toEqual([]);
  });

  it("finds nothing to do on a machine of a sealed image", async () => {
    seal();

    expect(await settle(readonlyRoot, {}, host)).toMatchObject({ changed: 0, flights: 1 });
  });

  it.each([
    ...readOnlyRoot.files.map(({ path }) => [path, "write"] as const),
    ...readOnlyRoot.links.map(({ path }) => [path, "symlink"] as const),
    [readOnlyRoot.script.path, "write"] as const,
  ])("puts %s back without making the initramfs again", async (path, verb) => {
    host.files.remove(path);

    await settle(readonlyRoot, {}, host);

    expect(host.journal.filter((line) => !line.startsWith("directory "))).toEqual([`${verb} ${path}`]);
  });

  it("unmasks nothing that hides behind a file of the same name, it puts the mask there", async () => {
    host.files.write("/etc/systemd/system/grub-common.service", "[Service]\n");

    await settle(readonlyRoot, {}, host);

    expect(host.files.stat("/etc/systemd/system/grub-common.service")?.target).toBe("/dev/null");
  });

  it("makes the initramfs after its hook and script, never before", async () => {
    const bare = emptyMachine();

    await settle(readonlyRoot, {}, bare);

    expect(bare.journal.at(-1)).toBe("run update-initramfs -u -k all");
    expect(bare.journal).toEqual(
      expect.arrayContaining([`write ${readOnlyRoot.hook.path}`, `write ${readOnlyRoot.script.path}`]),
    );
  });

  it("makes the initramfs again when one kernel's is from before", async () => {
    host.files.write("/boot/initrd.img-6.1.0-amd64", "");

    expect(await planned(readonlyRoot, {}, host)).toEqual([["initramfs", "", expect.any(String)]]);
  });

  it("makes an initramfs that a killed run left stale", async () => {
    host.files.write(initrd, "0123456789abcdef");

    await settle(readonlyRoot, {}, host);

    expect(host.journal).toEqual(["run update-initramfs -u -k all"]);
  });

  it("fails when the new initramfs is not what was asked for", async () => {
    host.files.write(initrd, "");
    host.program("update-initramfs", () => 0);

    await expect(settle(readonlyRoot, {}, host)).rejects.toMatchObject({ code: "TASK_NOT_SETTLED" });
  });

  it("mends the mode of a script that could not be run", async () => {
    host.files.attributes(readOnlyRoot.hook.path, { mode: "0644" });

    await settle(readonlyRoot, {}, host);

    expect(host.files.stat(readOnlyRoot.hook.path)?.mode).toBe("0755");
  });

  it("refuses a machine of one file system, and says what to build from", async () => {
    host.mounts.delete(stateLayout.mountPoint);

    await expect(settle(readonlyRoot, {}, host)).rejects.toMatchObject(refusal(/base of kind `bootstrap`/));
    expect(host.journal).toEqual([]);
  });

  it("refuses an fstab that the seal could not switch", async () => {
    host.files.write("/etc/fstab", `/dev/vda2 / ext4 defaults 0 1\n${fstab.state.open}\n`);

    await expect(settle(readonlyRoot, {}, host)).rejects.toMatchObject(
      refusal(/lacks the line "LABEL=root \/ ext4 rw/),
    );
  });

  it("refuses to change a root that is read-only already", async () => {
    seal();
    host.files.remove("/usr/local/sbin/state-grow");

    await expect(settle(readonlyRoot, {}, host)).rejects.toMatchObject(
      refusal(/read-only already, and \/usr\/local\/sbin\/state-grow would have to change; build the image/),
    );
  });

  it.each([{ nonsense: true }, { size: 1 }])("takes no parameters, not even %j", (params) => {
    expect(accepts(readonlyRoot, params)).toBe(false);
  });
});
