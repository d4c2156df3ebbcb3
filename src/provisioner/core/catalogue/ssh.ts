import { entry } from "./entry.ts";

/** What goes wrong with a connection to a host. */
export const ssh = {
  HOST_LOST: entry<{ host: string; reason: string }>({
    exit: 4,
    say: ({ host, reason }) => `Cannot keep the connection to ${host}: ${reason}`,
    mend: ({ host }) =>
      `Check that ${host} is up and reachable, then run the same command again: it goes on where it stopped`,
  }),
  SSH_TARGET_MALFORMED: entry<{ target: string; what: string }>({
    exit: 2,
    say: ({ target, what }) => `Cannot read target "${target}": ${what}`,
    mend: () => "Write it as user@host, user@host:port or user@[IPv6 address]:port",
  }),
  SSH_CONFIG_REFUSED: entry<{ file: string; what: string; mend: string }>({
    exit: 2,
    say: ({ file, what }) => `Cannot use "${file}": ${what}`,
    mend: ({ mend }) => mend,
  }),
  SSH_UNREACHABLE: entry<{ host: string; reason: string }>({
    exit: 4,
    say: ({ host, reason }) => `Cannot reach ${host}: ${reason}`,
    mend: ({ host }) => `Check that the machine is up and that ${host} is its right name, address and port`,
  }),
  SSH_REFUSED: entry<{ host: string }>({
    exit: 4,
    say: ({ host }) => `Cannot reach ${host}: the machine answers, but nothing listens on that port`,
    mend: () =>
      "Start the machine's SSH server (`systemctl start ssh` on Debian and Ubuntu), or give the port it listens on",
  }),
  SSH_TIMED_OUT: entry<{ host: string; stage: string; seconds: number }>({
    exit: 4,
    say: ({ host, stage, seconds }) =>
      `Cannot log in to ${host}: ${stage} must come within ${seconds} s, is still awaited`,
    mend: ({ host }) =>
      `Check that no firewall drops packets to ${host} and that the machine is not overloaded`,
  }),
  SSH_HANDSHAKE_FAILED: entry<{ host: string; reason: string }>({
    exit: 4,
    say: ({ host, reason }) => `Cannot speak SSH with ${host}: ${reason}`,
    mend: ({ host }) =>
      `Check that an SSH server answers at ${host} and read its log: it may refuse this address for a while after failed logins`,
  }),
  SSH_CHANNEL_REFUSED: entry<{ host: string; reason: string }>({
    exit: 4,
    say: ({ host, reason }) => `Cannot start a program on ${host}: ${reason}`,
    mend: () => "Allow at least 3 sessions per connection: MaxSessions in the machine's sshd_config",
  }),
  SSH_NOT_UP: entry<{ host: string; stage: string; seconds: number; reason: string; tail: string }>({
    exit: 4,
    say: ({ host, stage, seconds, reason, tail }) =>
      `Cannot log in to ${host}: must be up, is not after ${seconds} s; reached: ${stage}; last: ${reason}${tail && `\n${tail}`}`,
    mend: () =>
      "Read the console above: it shows where the boot stands; under emulation or load, allow it more time",
  }),
  UPLOAD_FAILED: entry<{ host: string; path: string; reason: string }>({
    exit: 5,
    say: ({ host, path, reason }) => `Cannot copy to "${path}" on ${host}: ${reason}`,
    mend: ({ path }) => `Check that the folder of "${path}" exists on the machine, is writable and has space`,
  }),
  WORKER_FAILED: entry<{ host: string; reason: string }>({
    exit: 4,
    say: ({ host, reason }) => `Cannot start the worker on ${host}: ${reason}`,
    mend: ({ host }) =>
      `Check that ${host} runs \`/bin/sh\` with coreutils as root and that /run is writable there`,
  }),
} as const;
