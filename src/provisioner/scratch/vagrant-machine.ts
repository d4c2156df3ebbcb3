import { access, readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

import { ProvisionError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import { ownTarget, type SshTarget } from "../host/ssh-target.ts";
import { boxFiles, type BoxOrigin } from "../image/vagrant-box.ts";
import { program } from "../local/program.ts";

/** A machine that Vagrant runs, of a box of ours: all that is needed to get into it, and to find it in libvirt. */
export interface VagrantMachine extends BoxOrigin {
  readonly uuid: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly privateKey: string;
  /** Type and blob; from the box, and so not from the machine that is to prove itself with it. */
  readonly hostKey: string;
}

/** Where Vagrant is asked: as somebody who stands in `cwd`. */
export interface VagrantPlace {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Asks Vagrant itself when left out. */
  readonly sshConfig?: (run: Run) => Promise<string>;
}

/** Vagrant loads all of its plugins before it says anything. */
const ASK_MS = 300_000;
/** The one machine of a Vagrantfile that defines none by name. */
const machine = "default";

/** The machine of the Vagrantfile that Vagrant would take here. It must be up, and of a box that provision made. */
export async function findVagrantMachine(place: VagrantPlace, run: Run): Promise<VagrantMachine> {
  const ask = place.sshConfig ?? ((inner) => askVagrant(place, inner));
  const says = readSshConfig(await ask(run));
  const { HostName: address, User: user, IdentityFile: keyFile } = says;
  if (address === undefined || user === undefined || keyFile === undefined) {
    throw unusable("`vagrant ssh-config` names no HostName, User or IdentityFile", "Run `vagrant up`");
  }
  const [uuid, box] = await Promise.all([readUuid(place), readBox(keyFile)]);
  return { uuid, address, port: Number(says["Port"] ?? 22), user, ...box };
}

/** The way into it. */
export function targetOf({ address, port, user, hostKey, privateKey }: VagrantMachine): SshTarget {
  return ownTarget({ host: address, port, user, hostKey, privateKey });
}

async function askVagrant({ cwd }: VagrantPlace, run: Run): Promise<string> {
  try {
    return await program(["vagrant", "ssh-config", machine], { run, cwd, timeoutMs: ASK_MS });
  } catch (error) {
    if (!(error instanceof ProvisionError)) throw error;
    if (error.code === "PROGRAM_MISSING") throw new ProvisionError("VAGRANT_MISSING", {}, { cause: error });
    if (error.code !== "PROGRAM_FAILED") throw error;
    const { tail } = (error as ProvisionError<"PROGRAM_FAILED">).facts;
    throw unusable(
      `\`vagrant ssh-config\` says: ${tail}`,
      "Run `vagrant up` where the Vagrantfile is",
      error,
    );
  }
}

/** The words of an ssh_config of one host. */
function readSshConfig(text: string): Readonly<Record<string, string | undefined>> {
  const lines = [...text.matchAll(/^ +(\w+) +"?(.+?)"?$/gm)];
  return Object.fromEntries(lines.map(([, word = "", value]) => [word, value]));
}

/** Vagrant's own note of which domain the machine is. */
async function readUuid(place: VagrantPlace): Promise<string> {
  const root = await findRoot(resolve(place.cwd, place.env["VAGRANT_CWD"] || "."));
  const notes = resolve(root, place.env["VAGRANT_DOTFILE_PATH"] || ".vagrant");
  const file = join(notes, "machines", machine, "libvirt", "id");
  const text = await readFile(file, "utf8").catch(() => "");
  if (/^[0-9a-f-]{36}$/.test(text.trim())) return text.trim();
  throw unusable(`"${file}" names no domain of libvirt`, "Run `vagrant up --provider libvirt`");
}

/** The folder of the Vagrantfile, this one or one above. */
async function findRoot(folder: string): Promise<string> {
  const isHere = await access(join(folder, "Vagrantfile")).then(
    () => true,
    () => false,
  );
  if (isHere || dirname(folder) === folder) return folder;
  return findRoot(dirname(folder));
}

/** The key that logs in lies in the box, and beside it the one that proves the machine. */
async function readBox(
  keyFile: string,
): Promise<Pick<VagrantMachine, "base" | "distribution" | "hostKey" | "privateKey">> {
  const folder = dirname(keyFile);
  try {
    const [hostKey, origin, privateKey] = await Promise.all([
      readFile(join(folder, boxFiles.hostKey), "utf8"),
      readFile(join(folder, boxFiles.origin), "utf8"),
      readFile(keyFile, "utf8"),
    ]);
    const { base, distribution } = JSON.parse(origin) as BoxOrigin;
    return { base, distribution, hostKey: hostKey.trim(), privateKey };
  } catch (error) {
    throw unusable(
      `its box was not made by provision: "${folder}" does not say which host key the machine has`,
      "Run `provision base box`, add the box as it says, and `vagrant destroy -f && vagrant up`",
      error,
    );
  }
}

function unusable(reason: string, mend: string, cause?: unknown): ProvisionError {
  return new ProvisionError("VAGRANT_UNUSABLE", { reason, mend }, { cause });
}
