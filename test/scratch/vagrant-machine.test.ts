import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { beforeEach, describe, expect, it } from "vitest";

import { boxFiles } from "../../src/provisioner/image/vagrant-box.ts";
import {
  findVagrantMachine,
  targetOf,
  type VagrantPlace,
} from "../../src/provisioner/scratch/vagrant-machine.ts";
import { quietRun } from "../support/quiet-run.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

const uuid = "0b0ee5d8-5b0f-4b6c-9a0c-3d9a0b0ee5d8";
let folder: string;
let box: string;
let place: VagrantPlace;

/** As Vagrant 2.3.4 prints it. */
const sshConfig = (key: string) => `Host default
  HostName 192.168.121.37
  User vagrant
  Port 22
  UserKnownHostsFile /dev/null
  StrictHostKeyChecking no
  PasswordAuthentication no
  IdentityFile ${key}
  IdentitiesOnly yes
  LogLevel FATAL

`;

beforeEach(async () => {
  folder = await scratchFolder();
  box = join(folder, "home of boxes");
  await mkdir(box);
  await writeFile(join(box, boxFiles.key), "private\n");
  await writeFile(join(box, boxFiles.hostKey), "ssh-ed25519 AAAA\n");
  await writeFile(
    join(box, boxFiles.origin),
    JSON.stringify({ base: "debian-12", distribution: "debian-12" }),
  );
  await writeFile(join(folder, "Vagrantfile"), "");
  await noteId(join(folder, ".vagrant"));
  place = { cwd: folder, env: {}, sshConfig: async () => sshConfig(`"${join(box, boxFiles.key)}"`) };
});

async function noteId(notes: string): Promise<void> {
  await mkdir(join(notes, "machines/default/libvirt"), { recursive: true });
  await writeFile(join(notes, "machines/default/libvirt/id"), uuid);
}

const wanted = {
  uuid,
  address: "192.168.121.37",
  port: 22,
  user: "vagrant",
  privateKey: "private\n",
  hostKey: "ssh-ed25519 AAAA",
  base: "debian-12",
  distribution: "debian-12",
};

describe("Vagrant's machine", () => {
  it("is found by what Vagrant says of it, with the keys of its box", async () => {
    expect(await findVagrantMachine(place, quietRun())).toEqual(wanted);
  });

  it.each([
    ["below the Vagrantfile", async () => ({ cwd: join(folder, ".vagrant") })],
    ["by VAGRANT_CWD", async () => ({ cwd: "/", env: { VAGRANT_CWD: folder } })],
    [
      "by VAGRANT_DOTFILE_PATH",
      async () => {
        await noteId(join(folder, "notes"));
        await writeFile(join(folder, ".vagrant/machines/default/libvirt/id"), "");
        return { env: { VAGRANT_DOTFILE_PATH: "notes" } };
      },
    ],
  ])("is found %s", async (_where, changes) => {
    expect(await findVagrantMachine({ ...place, ...(await changes()) }, quietRun())).toEqual(wanted);
  });

  it("is proved by the host key of its box, whatever Vagrant makes of host keys", async () => {
    const target = targetOf(await findVagrantMachine(place, quietRun()));

    expect(target).toMatchObject({ hostKey: "ssh-ed25519 AAAA", knownHosts: [], host: "192.168.121.37" });
  });

  it.each([
    [
      "it is of another box",
      /was not made by provision/,
      async () => ({ sshConfig: async () => sshConfig("/nowhere/key") }),
    ],
    [
      "libvirt does not have it",
      /names no domain of libvirt/,
      async () => {
        await writeFile(join(folder, ".vagrant/machines/default/libvirt/id"), "");
        return {};
      },
    ],
    [
      "Vagrant says nothing of it",
      /names no HostName/,
      async () => ({ sshConfig: async () => "Host default\n" }),
    ],
  ])("is refused when %s", async (_why, says, changes) => {
    const finding = findVagrantMachine({ ...place, ...(await changes()) }, quietRun());

    await expect(finding).rejects.toMatchObject({
      code: "VAGRANT_UNUSABLE",
      message: expect.stringMatching(says),
    });
  });
});
