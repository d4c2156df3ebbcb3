import { ProvisionError } from "../../src/provisioner/core/errors.ts";
import { FactUnknown, factKey, type FactAnswer, type FactRequest } from "../../src/provisioner/core/facts.ts";
import {
  type Errand,
  HostLost,
  type Flight,
  type FlightResult,
  type Host,
  type Landing,
  type OnOutput,
  type Order,
} from "../../src/provisioner/core/host.ts";
import type {
  Command,
  GroupEntry,
  MountEntry,
  Output,
  UnitState,
  UserEntry,
} from "../../src/provisioner/core/task.ts";
import { installAppArmor } from "./fake-apparmor.ts";
import { FakeFiles, FileTrouble } from "./fake-files.ts";
import { installLogin } from "./fake-login.ts";
import { installMonitoring } from "./fake-monitoring.ts";
import { debian } from "./fake-programs.ts";
import { FakeGuards } from "./fake-guard.ts";
import { FakeUnits } from "./fake-units.ts";

/** What a program of the fake machine did: nothing is exit 0, a number is the exit code. */
export type Ending = void | number | Partial<Output>;

/** A program of the fake machine. `argv[0]` is its name; a named `sh -c` script is a program of that name. */
export type Program = (argv: readonly string[], host: FakeHost, command: Command) => Ending;

/** A package that dpkg knows of. */
export interface FakePackage {
  readonly version: string;
  readonly status: "installed" | "config-files" | "unpacked";
}

/**
 * A machine in memory. It carries out actions, answers every kind of fact, notes each order in `journal`, and can
 * lose its connection at a chosen flight.
 */
export class FakeHost implements Host {
  readonly name = "root@fake:22";
  readonly files: FakeFiles;
  readonly units: FakeUnits;
  readonly guards = new FakeGuards(this);
  readonly packages = new Map<string, FakePackage>();
  readonly users = new Map<string, UserEntry & { readonly isLocked: boolean }>();
  readonly groups = new Map<string, GroupEntry>();
  readonly sysctls = new Map<string, string>();
  readonly mounts = new Map<string, MountEntry>();
  readonly modules = new Set<string>();
  /** Locales as `locale -a` prints them. */
  readonly locales = new Set(["C", "C.utf8", "POSIX"]);
  /** Facts that cannot be known, by key: `sysctl:kernel.panic`, or by kind: `unit`; with the reason. */
  readonly unknown = new Map<string, string>();
  /** Each order that was carried out, a line each. */
  readonly journal: string[] = [];
  /** Round trips so far. */
  flights = 0;
  reconnects = 0;
  /** When set, a lost connection stays lost: to the machine it is as if provision had been killed. */
  staysAway = false;
  /** What happens before a new connection is there; an error of it comes through. */
  away: () => void = () => {};

  readonly #programs = new Map<string, Program>();
  readonly #before = new Map<number, () => void>();
  readonly #losses = new Map<number, number>();

  constructor(directories: readonly string[], programs: Readonly<Record<string, Program>>) {
    this.files = new FakeFiles(directories);
    this.units = new FakeUnits(this.files);
    for (const [name, program] of Object.entries(programs)) this.#programs.set(name, program);
  }

  /** Installs a program, or puts another in its place. */
  program(name: string, program: Program): void {
    this.#programs.set(name, program);
  }

  withoutProgram(name: string): void {
    this.#programs.delete(name);
  }

  /** Breaks the connection in that flight (from 1), after so many of its orders were carried out. */
  loseAt(flight: number, afterOrders = 0): void {
    this.#losses.set(flight, afterOrders);
  }

  /** Does something to the machine just before that flight (from 1): somebody else is at work. */
  beforeFlight(flight: number, act: () => void): void {
    this.#before.set(flight, act);
  }

  async fly({ orders, facts }: Flight, onOutput?: OnOutput): Promise<FlightResult> {
    this.flights += 1;
    this.#before.get(this.flights)?.();
    const loss = this.#losses.get(this.flights);
    const landings: Landing[] = [];
    for (const [index, order] of orders.entries()) {
      if (index === loss) break;
      const isOver = landings.some(({ kind }) => kind !== "done");
      landings.push(isOver ? { kind: "skipped" } : this.#carryOut(order, onOutput));
    }
    if (loss !== undefined) throw new HostLost("the fake connection was cut");
    return { landings, answers: facts.map((fact) => this.#answer(fact)) };
  }

  async reconnect(): Promise<{ readonly rebooted: boolean }> {
    if (this.staysAway) throw new ProvisionError("HOST_LOST", { host: this.name, reason: "it stays away" });
    this.away();
    this.reconnects += 1;
    return { rebooted: false };
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  /** Runs a program as an order or a query would; `undefined` when there is no such program. */
  run(command: Command): Output | undefined {
    const { argv } = command;
    const isNamedScript = argv[0] === "sh" && argv[1] === "-c" && argv[3] !== undefined;
    const line = isNamedScript ? argv.slice(3) : argv;
    const program = this.#programs.get(line[0] ?? "");
    if (!program) return undefined;
    const ending = program(line, this, command) ?? 0;
    return { code: 0, stdout: "", stderr: "", ...(typeof ending === "number" ? { code: ending } : ending) };
  }

  #carryOut({ id, action, expects }: Order, onOutput?: OnOutput): Landing {
    if (expects !== undefined && "path" in action && (this.#digest(action.path) ?? null) !== expects) {
      return { kind: "changed-underneath" };
    }
    this.journal.push(journalLine(action));
    if (action.kind === "run") {
      const { code, stdout, stderr } = this.run(action.command) ?? missing(action.command);
      if (stdout) onOutput?.(id, stdout);
      const accepted = action.command.accept ?? [0];
      return accepted.includes(code) ? { kind: "done" } : { kind: "failed", code, tail: stdout + stderr };
    }
    try {
      this.#change(action);
      return { kind: "done" };
    } catch (error) {
      if (!(error instanceof FileTrouble)) throw error;
      return { kind: "failed", code: 1, tail: error.message };
    }
  }

  #change(action: Exclude<Errand, { kind: "run" }>): void {
    switch (action.kind) {
      case "write":
        return this.files.write(action.path, action.text, action);
      case "upload":
        return this.files.write(action.path, `uploaded ${action.source.sha256}`, action);
      case "remove":
        return this.files.remove(action.path);
      case "directory":
        return this.files.directory(action.path, action);
      case "symlink":
        return this.files.symlink(action.path, action.target);
      case "attributes":
        return this.files.attributes(action.path, action);
      default:
        return action satisfies never;
    }
  }

  #answer(fact: FactRequest): FactAnswer {
    const key = factKey(fact);
    const reason = this.unknown.get(key) ?? this.unknown.get(fact.kind);
    if (reason !== undefined) return { unknown: reason };
    if ((fact.kind === "file" || fact.kind === "digest") && this.files.isOdd(fact.about)) {
      return { unknown: "is not a regular file" };
    }
    try {
      return { value: this.#look(fact) };
    } catch (error) {
      if (!(error instanceof FactUnknown)) throw error;
      return { unknown: error.reason };
    }
  }

  #look(fact: FactRequest): unknown {
    switch (fact.kind) {
      case "file":
        return this.files.read(fact.about);
      case "stat":
        return this.files.stat(fact.about);
      case "digest":
        return this.#digest(fact.about);
      case "package": {
        const found = this.packages.get(fact.about);
        return found?.status === "installed" ? found.version : undefined;
      }
      case "sysctl":
        return this.sysctls.get(fact.about);
      case "unit":
        return this.units.state(fact.about) satisfies UnitState;
      case "user":
        return this.users.get(fact.about);
      case "group":
        return this.groups.get(fact.about);
      case "mount":
        return this.mounts.get(fact.about);
      case "module":
        return this.modules.has(fact.about);
      case "query": {
        const output = this.run(fact.about);
        if (!output) throw new FactUnknown(factKey(fact), `${fact.about.argv[0]}: not found`);
        return output;
      }
      default:
        return fact satisfies never;
    }
  }

  /** An upload stands for its bytes by their digest. */
  #digest(path: string): string | undefined {
    return /^uploaded ([0-9a-f]{64})$/.exec(this.files.read(path) ?? "")?.[1] ?? this.files.digest(path);
  }
}

/** A Debian just after its bootstrap: the usual directories and programs, nothing set up. */
export function emptyMachine(): FakeHost {
  const host = new FakeHost(DIRECTORIES, debian);
  host.files.socket("/dev/null");
  host.sysctls.set("kernel.ostype", "Linux");
  host.sysctls.set("net.ipv4.ip_forward", "0");
  host.groups.set("root", { gid: 0, members: [] });
  host.units.install("apt-daily.timer", { active: "active", enabled: true });
  host.units.install("chrony.service");
  host.units.install("ssh.service");
  for (const name of ["office", "wg0", "wg9"]) host.units.install(`wg-quick@${name}.service`);
  installMonitoring(host);
  installAppArmor(host);
  installLogin(host);
  return host;
}

const DIRECTORIES = `
  /boot /dev /home /proc /root /run/systemd/system /srv /tmp
  /etc/apt/sources.list.d /etc/default /etc/modprobe.d /etc/modules-load.d /etc/ssl
  /etc/sysctl.d /etc/systemd/system /etc/tmpfiles.d
  /usr/bin /usr/local/bin /usr/local/sbin /usr/share/zoneinfo /var/lib/dpkg /var/log
`
  .trim()
  .split(/\s+/);

function missing({ argv }: Command): Output {
  return { code: 127, stdout: "", stderr: `${argv[0]}: not found` };
}

function journalLine(action: Errand): string {
  if (action.kind !== "run") return `${action.kind} ${action.path}`;
  const { argv } = action.command;
  const isNamedScript = argv[0] === "sh" && argv[1] === "-c" && argv[3] !== undefined;
  return `run ${(isNamedScript ? argv.slice(3) : argv).join(" ")}`;
}
