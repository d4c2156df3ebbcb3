import type { Task } from "../provisioner/core/task.ts";
import { absent } from "./absent.ts";
import { apparmor } from "./apparmor.ts";
import { aptRepository } from "./apt-repository/index.ts";
import { apt } from "./apt/index.ts";
import { command } from "./command.ts";
import { directory } from "./directory.ts";
import { dotfiles } from "./dotfiles/index.ts";
import { file } from "./file.ts";
import { fluentBit } from "./fluent-bit/index.ts";
import { fstab } from "./fstab/index.ts";
import { group } from "./group.ts";
import { kernelModule } from "./kernel-module.ts";
import { laurel } from "./laurel/index.ts";
import { locale } from "./locale.ts";
import { loginShell } from "./login-shell.ts";
import { network } from "./network/index.ts";
import { nodeExporter } from "./node-exporter/index.ts";
import { nvidiaDriver } from "./nvidia-driver/index.ts";
import { readonlyRoot } from "./readonly-root.ts";
import { rootlessContainerd } from "./rootless-containerd/index.ts";
import { subuid } from "./subuid/index.ts";
import { symlink } from "./symlink.ts";
import { sysctl } from "./sysctl.ts";
import { systemdUnit } from "./systemd-unit/index.ts";
import { timezone } from "./timezone.ts";
import { tmpfiles } from "./tmpfiles.ts";
import { tools } from "./tools/index.ts";
import { user } from "./user.ts";
import { wireguard } from "./wireguard/index.ts";

/** Every task a spec can name, in alphabetical order. */
export const tasks: readonly Task[] = [
  absent,
  apparmor,
  apt,
  aptRepository,
  command,
  directory,
  dotfiles,
  file,
  fluentBit,
  fstab,
  group,
  kernelModule,
  laurel,
  locale,
  loginShell,
  network,
  nodeExporter,
  nvidiaDriver,
  readonlyRoot,
  rootlessContainerd,
  subuid,
  symlink,
  sysctl,
  systemdUnit,
  timezone,
  tmpfiles,
  tools,
  user,
  wireguard,
];
