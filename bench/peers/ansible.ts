import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { execa } from "execa";

import type { Item } from "../items.ts";
import type { Action } from "./cells.ts";
import { type Contender, plainSsh } from "./contender.ts";
import { width } from "./each-machine.ts";
import type { Member } from "./fleet.ts";
import { playbook } from "./playbook.ts";

/** Ansible as it comes: facts gathered, modules copied by sftp, five machines at one time. */
export const ansible = contender("Ansible", { gathersFacts: true, settings: [] });

/** What its handbook says for speed: no facts, modules through the pipe, connections kept, all machines at one time. */
export const tunedAnsible = contender("Ansible, tuned", {
  gathersFacts: false,
  settings: [
    "[defaults]",
    `forks = ${width}`,
    "gathering = explicit",
    "interpreter_python = /usr/bin/python3",
    "[ssh_connection]",
    "pipelining = True",
    "ssh_args = -o ControlMaster=auto -o ControlPersist=30m -o PreferredAuthentications=publickey",
  ],
});

/** Installs Debian's package where there is none. */
export async function prepareAnsible(say: (text: string) => void): Promise<string> {
  if (!existsSync("/usr/bin/ansible-playbook")) {
    say("ansible-core is not installed: installing Debian's package by apt-get");
    await execa("apt-get", ["-qq", "update"]);
    await execa("apt-get", ["-qq", "-y", "--no-install-recommends", "install", "ansible-core"], {
      env: { DEBIAN_FRONTEND: "noninteractive" },
    });
  }
  const { stdout } = await execa("dpkg-query", ["-W", "-f", "${Package} ${Version}", "ansible-core"]);
  return stdout;
}

function contender(
  name: string,
  { gathersFacts, settings }: { readonly gathersFacts: boolean; readonly settings: readonly string[] },
): Contender {
  return {
    name,
    async prepare({ action, items, fleet, folder, drifted }) {
      await writeSources(items, folder);
      const place = (file: string) => join(folder, file);
      await writeFile(place("playbook.yaml"), playbook(items, { files: folder, gathersFacts }));
      await writeFile(place("ansible.cfg"), `${settings.join("\n")}\n`);
      await writeFile(place("inventory"), `${fleet.members.map(inventoryLine).join("\n")}\n`);
      // Names of sockets are short by law. Every run makes its own connections.
      const sockets = await mkdtemp(join(tmpdir(), "bcp-"));
      const check = action === "check" ? ["--check"] : [];
      return {
        argv: ["ansible-playbook", ...check, "-i", place("inventory"), place("playbook.yaml")],
        options: {
          env: {
            ...process.env,
            ANSIBLE_CONFIG: place("ansible.cfg"),
            ANSIBLE_HOME: place("home"),
            ANSIBLE_LOCAL_TEMP: place("tmp"),
            ANSIBLE_SSH_CONTROL_PATH_DIR: sockets,
            ANSIBLE_NOCOLOR: "1",
            SSH_AUTH_SOCK: "",
          },
        },
        judge: async ({ stdout }) => judge(stdout, { action, drifted, members: fleet.members }),
        async cleanUp() {
          for (const socket of await readdir(sockets))
            await execa("ssh", ["-F", "none", "-S", join(sockets, socket), "-O", "exit", "there"], {
              reject: false,
            });
          await rm(sockets, { recursive: true, force: true });
        },
      };
    },
  };
}

async function writeSources(items: readonly Item[], folder: string): Promise<void> {
  await mkdir(join(folder, "tmp"), { recursive: true });
  for (const item of items) if (item.kind === "source") await writeFile(join(folder, item.name), item.text);
}

function inventoryLine({ name, port, identity, knownHosts }: Member): string {
  const options = Object.entries({ ...plainSsh, UserKnownHostsFile: knownHosts }).map(
    ([option, value]) => `-o ${option}=${value}`,
  );
  const where = `ansible_host=127.0.0.1 ansible_port=${port} ansible_user=root`;
  return `${name} ${where} ansible_ssh_private_key_file=${identity} ansible_ssh_common_args='-F none ${options.join(" ")}'`;
}

/** By its recap of every machine. */
export function judge(
  stdout: string,
  wanted: {
    readonly action: Action;
    readonly drifted: number;
    readonly members: readonly Pick<Member, "name">[];
  },
): void {
  for (const { name } of wanted.members) {
    const line = new RegExp(String.raw`^${name} +: ok=\d+ .*$`, "m").exec(stdout)?.[0] ?? "";
    const changed = Number(/ changed=(\d+) /.exec(line)?.[1] ?? Number.NaN);
    const isWhole = / unreachable=0 +failed=0 /.test(line);
    const isRight =
      wanted.action === "first" ? changed > 0 : changed === (wanted.action === "check" ? wanted.drifted : 0);
    if (!isWhole || !isRight) throw new Error(`Ansible says of ${name}:\n${stdout.slice(-2000)}`);
  }
}
