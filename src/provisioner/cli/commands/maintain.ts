import { ProvisionError } from "../../core/errors.ts";
import type { Host } from "../../core/host.ts";
import type { Run } from "../../core/run.ts";
import { addLoginOptions, defineCommand, helpEnd } from "../command.ts";
import type { CommonFlags } from "../command.ts";
import type { Ending } from "../exit-code.ts";
import type { TargetFlags } from "../open-target.ts";
import { runSession, type Session } from "../session.ts";
import type { Shell } from "../shell.ts";

type Flags = Omit<TargetFlags, "target"> & {
  readonly for?: string;
  readonly close?: boolean;
  readonly check?: boolean;
};

/** A window is for a piece of work: who needs a day wants another image. */
const mostMinutes = 24 * 60;

export const maintain = defineCommand<Flags>({
  declare(command) {
    command
      .description(
        "Opens a maintenance window on a machine whose root is read-only: makes root writable, runs COMMAND there as " +
          "root, and makes root read-only again. Without COMMAND the window stays open for you to work in, over ssh or " +
          "with apply. Either way the machine closes it by itself when its time is over, whatever becomes of this run. " +
          "COMMAND gets no terminal and no shell: take sh -c for a line.",
      )
      .argument("<TARGET>", "machine, by user@host:port, name, address or alias of ssh_config")
      .argument("[COMMAND...]", "program and its arguments, behind --")
      .option("--for <minutes>", "how long the window may be open (default: 30)")
      .option("--close", "close the window now, whoever opened it, and end what runs in it")
      .option("--check", "say whether a window is open, and change nothing")
      .addHelpText(
        "after",
        helpEnd(
          [
            "provision maintain admin@web1 -- sh -c 'apt-get update && apt-get install -y strace'",
            "provision maintain admin@web1 --for 10",
            "provision maintain admin@web1 --check",
            "provision maintain admin@web1 --close",
          ],
          [0, 2, 3, 4, 5, 7, 130],
        ),
      );
    addLoginOptions(command);
  },
  act({ shell, flags, operands: [target = "", ...argv] }) {
    const words = wordsOf(flags, argv);
    const command = ["maintain", target, ...words].join(" ");
    return runSession({ shell, flags, command, showsOutput: argv.length > 0 }, async (session) => {
      const minutes = minutesOf(flags);
      mustBeOne(flags, argv);
      const [{ openTarget }, { freshToken }] = await Promise.all([
        import("../open-target.ts"),
        import("../../host/worker-options.ts"),
      ]);
      const id = freshToken();
      const connect = (run: Run) => openTarget({ ...flags, target }, shell, run, id);
      await using host = await session.run.within(`Connect to ${target}`, connect, ({ name }) => name);
      // Awaited here: the line must not be closed before.
      return await work({ host, session, shell, flags, argv, minutes, connect, target });
    });
  },
});

interface Request {
  readonly host: Host;
  readonly session: Session;
  readonly shell: Shell;
  readonly flags: Flags & CommonFlags;
  readonly argv: readonly string[];
  readonly minutes: number;
  readonly connect: (run: Run) => Promise<Host>;
  readonly target: string;
}

async function work(request: Request): Promise<Ending> {
  const { host, session, flags } = request;
  if (flags.check === true) return check(host, session);
  if (flags.close === true) return close(host, session);
  const { maintainHost, openMaintenance } = await import("../../maintain/maintain-host.ts");
  const { shell, argv, minutes, connect, target } = request;
  const { run, result } = session;
  const owner = `${shell.user}@${shell.machine}, process ${shell.pid}`;
  const maintenance = { host, run, minutes, owner, reopen: connect };
  if (argv.length > 0) {
    await maintainHost(maintenance, argv);
    result(`${host.name}: done, root is read-only again`, { host: host.name, open: false });
    return "as-wanted";
  }
  await openMaintenance(maintenance);
  result(howToWork(host.name, target, minutes), { host: host.name, open: true, minutes });
  return "as-wanted";
}

async function check(host: Host, { run, result }: Session): Promise<Ending> {
  const [{ lookAtRoot }, { rootWords }] = await Promise.all([
    import("../../maintain/call-script.ts"),
    import("../../maintain/root-state.ts"),
  ]);
  const state = await lookAtRoot(host, run);
  result(`${host.name}: ${rootWords(state)}`, { host: host.name, ...state });
  return state.kind === "open" ? "changes-wait" : "as-wanted";
}

async function close(host: Host, { run, result }: Session): Promise<Ending> {
  const { closeIfOpen } = await import("../../maintain/window.ts");
  const closed = await run.within("Close the maintenance window", (inner) => closeIfOpen(host, inner));
  const text = closed ? "closed, root is read-only again" : "no window was open";
  result(`${host.name}: ${text}`, { host: host.name, closed });
  return "as-wanted";
}

function howToWork(name: string, target: string, minutes: number): string {
  const until = new Date(Date.now() + minutes * 60_000).toISOString().slice(0, 16).replace("T", " ");
  return [
    `${name}: root is writable for ${minutes} min, until ${until} UTC; then the machine makes it read-only again`,
    `  work in it:  ssh to it and use sudo apt-get update, sudo apt-get install …; or provision apply --target ${target}`,
    `  close it:    provision maintain ${target} --close`,
    "  what is installed is on this machine alone and gone with its next image: put it into the spec as well",
  ].join("\n");
}

/** The flags that say what is to be done, and the command, for the log. */
function wordsOf(flags: Flags, argv: readonly string[]): readonly string[] {
  return [
    ...(flags.check === true ? ["--check"] : []),
    ...(flags.close === true ? ["--close"] : []),
    ...(argv.length > 0 ? ["--", ...argv] : []),
  ];
}

function mustBeOne(flags: Flags, argv: readonly string[]): void {
  const asked = [
    ...(flags.check === true ? ["--check"] : []),
    ...(flags.close === true ? ["--close"] : []),
    ...(argv.length > 0 ? ["a command"] : []),
  ];
  if (asked.length < 2) return;
  throw new ProvisionError("USAGE", {
    what: `Cannot do ${asked.join(" and ")} at once: must be one of them`,
    mend: "Leave out all but one; `provision maintain --help` shows what each does",
  });
}

function minutesOf(flags: Flags): number {
  const text = flags.for ?? "30";
  const minutes = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (minutes >= 1 && minutes <= mostMinutes) return minutes;
  throw new ProvisionError("USAGE", {
    what: `Cannot accept --for: must be whole minutes, 1 to ${mostMinutes}, is "${text}"`,
    mend: "Give minutes, as in --for 30",
  });
}
