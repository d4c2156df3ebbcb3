import { readFile } from "node:fs/promises";
import { resolve } from "node:path";

import { ProvisionError } from "../core/errors.ts";
import type { Host } from "../core/host.ts";
import type { Run } from "../core/run.ts";
import { connectSsh } from "../host/ssh-connect.ts";
import { openSshHost } from "../host/ssh-host.ts";
import { readTarget, targetName } from "../host/ssh-target.ts";
import type { SshTarget } from "../host/ssh-target.ts";
import { freshToken } from "../host/worker-options.ts";
import type { Shell } from "./shell.ts";

/** What the flags say about how a machine is reached. */
export interface TargetFlags {
  readonly target: string;
  readonly identity?: string;
  readonly knownHosts?: string;
  readonly sudoPasswordFile?: string;
  readonly askSudoPassword?: boolean;
}

/**
 * Logs in to the machine the flags name, as root or by sudo, and holds its lock. Who logs in twice for one run gives
 * both its `id`: the second login takes the lock from the first, whose line may hang.
 */
export async function openTarget(
  flags: TargetFlags,
  shell: Shell,
  run: Run,
  id = freshToken(),
): Promise<Host> {
  const { home, user, env } = shell;
  const target = withFlags(await readTarget(flags.target, { home, user, env }), flags, shell.cwd);
  return open(target, await readPassword(flags, shell), { shell, run, id });
}

/** Logs in to the machine that `vagrant up` made, by the keys of its box, and holds its lock. */
export async function openVagrantTarget(shell: Shell, run: Run): Promise<Host> {
  const { findVagrantMachine, targetOf } = await import("../scratch/vagrant-machine.ts");
  return open(targetOf(await findVagrantMachine(shell, run)), undefined, { shell, run, id: freshToken() });
}

function open(
  target: SshTarget,
  sudoPassword: string | undefined,
  { shell, run, id }: { readonly shell: Shell; readonly run: Run; readonly id: string },
): Promise<Host> {
  return openSshHost({
    name: targetName(target),
    connect: () => connectSsh(target, { signal: run.signal, onStage: (stage) => run.progress(stage) }),
    run: id,
    signal: run.signal,
    lock: { owner: `${shell.user}@${shell.machine}, process ${shell.pid}`, waitMs: 0 },
    ...(sudoPassword !== undefined && { sudoPassword }),
  });
}

function withFlags(target: SshTarget, flags: TargetFlags, cwd: string): SshTarget {
  return {
    ...target,
    ...(flags.identity !== undefined && {
      identityFiles: [resolve(cwd, flags.identity)],
      identitiesOnly: true,
    }),
    ...(flags.knownHosts !== undefined && { knownHosts: [resolve(cwd, flags.knownHosts)] }),
  };
}

async function readPassword(flags: TargetFlags, shell: Shell): Promise<string | undefined> {
  const { sudoPasswordFile: file } = flags;
  if (file !== undefined) {
    try {
      return (await readFile(resolve(shell.cwd, file), "utf8")).replace(/\r?\n$/, "");
    } catch (error) {
      const { code = "" } = error as NodeJS.ErrnoException;
      throw new ProvisionError(
        "USAGE",
        {
          what: `Cannot read the password of sudo: ${file} must be a readable file, is not (${code})`,
          mend: "Name another file, or use --ask-sudo-password",
        },
        { cause: error },
      );
    }
  }
  if (flags.askSudoPassword !== true) return undefined;
  const password = await shell.ask(`Password of sudo on ${flags.target}: `, { secret: true });
  if (password !== undefined) return password;
  throw new ProvisionError("USAGE", {
    what: "Cannot ask for the password of sudo: standard input must be a terminal, is not",
    mend: "Use --sudo-password-file",
  });
}
