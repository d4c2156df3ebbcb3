import { entry } from "./entry.ts";

/** What goes wrong with maintenance windows. */
export const maintenance = {
  ROOT_NOT_READ_ONLY: entry<{ host: string; found: string }>({
    exit: 2,
    say: ({ host, found }) =>
      `Cannot open a maintenance window on ${host}: its root must be read-only by /etc/fstab, is ${found}`,
    mend: ({ host }) =>
      `Work on ${host} as it is, by ssh or \`provision apply\`: nothing has to be opened there`,
  }),
  WINDOW_OPEN: entry<{ host: string; holder: string }>({
    exit: 7,
    say: ({ host, holder }) =>
      `Cannot open a maintenance window on ${host}: its root must be read-only, is open for writing already, ${holder}`,
    mend: () =>
      "Work in that window, wait for its end, or close it: the same command with --close in place of the rest",
  }),
  WINDOW_NOT_OPENED: entry<{ host: string; tail: string }>({
    exit: 5,
    say: ({ host, tail }) =>
      `Cannot open a maintenance window on ${host}: systemd there must arm its end and root must become writable${tail && `\n${tail}`}`,
    mend: () =>
      "Read what the machine says above; `journalctl -k -b` there knows why a disk cannot be written",
  }),
  WINDOW_NOT_CLOSED: entry<{ host: string; tail: string }>({
    exit: 5,
    say: ({ host, tail }) =>
      `Cannot close the maintenance window on ${host}: root must be read-only again, is still writable${tail && `\n${tail}`}`,
    mend: () =>
      "Stop or restart on the machine what is named above (`systemctl restart UNIT`, `systemctl daemon-reexec` for systemd itself): it is tried again every 30 s; a reboot closes it too",
  }),
  MAINTENANCE_FAILED: entry<{ host: string; command: string; how: string; tail: string }>({
    exit: 5,
    say: ({ host, command, how, tail }) =>
      `Cannot do the maintenance of ${host}: \`${command}\` must exit 0, ${how}${tail && `\n${tail}`}`,
    mend: ({ command }) =>
      `Find out above why \`${command}\` failed; --for MINUTES gives it more time, and without a command the window stays open for you to look`,
  }),
} as const;
