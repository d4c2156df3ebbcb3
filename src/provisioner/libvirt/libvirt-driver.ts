import { open } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

import { ProvisionError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import type { RenderTemplate } from "../core/templates.ts";
import {
  chooseAccelerator,
  type Choice,
  giveUpKvm,
  isAcceleratorFailure,
  type Memory,
} from "./accelerator.ts";
import { borrowGuest, type BorrowedGuest } from "./borrow.ts";
import { claimFiles, removeFiles } from "./claims.ts";
import { type Connection, type ConnectionOptions, openConnection, type Session } from "./connection.ts";
import { consoleSize, readConsoleTail } from "./console.ts";
import { type Devices, devicesOf } from "./devices.ts";
import { domainXml, readDomainXml } from "./domain-xml.ts";
import {
  domainCondition,
  domainMark,
  domainName,
  domainUuid,
  findDomain,
  findDomainByName,
  listDomains,
  powerOff,
  undefine,
  withDomain,
} from "./domains.ts";
import type { Accelerator, Driver, KnownMachine, Machine, Mark, OwnedDomain } from "./driver.ts";
import { LibvirtGuest } from "./guest.ts";
import { type HostDomains, hostDomainsOf } from "./host-domains.ts";
import { type Networks, networksOf } from "./networks.ts";
import { type Pools, poolsOf } from "./pools.ts";
import { probeKvm } from "./probe-kvm.ts";
import { bootId, thisProcess } from "../local/process-identity.ts";
import { checkQemuAccess, qemuUserFrom } from "./qemu-access.ts";
import { type Volumes, volumesOf } from "./volumes.ts";

/** What the driver needs to know of its surroundings. */
export interface DriverOptions extends ConnectionOptions {
  readonly render: RenderTemplate;
  /** Where answers and claims are kept; ~/.cache/provision when left out. */
  readonly cacheFolder?: string;
  /** PROVISION_ACCEL: `kvm`, `tcg` or `auto`. */
  readonly accelerator?: string | undefined;
  /** PROVISION_CPUS: processors of each guest that is booted, in the place of what is asked for. */
  readonly cpus?: number | undefined;
}

/** The driver with all that libvirt can do for us. */
export interface LibvirtDriver extends Driver {
  readonly devices: Devices;
  readonly hosts: HostDomains;
  readonly networks: Networks;
  readonly pools: Pools;
  readonly volumes: Volumes;
  /** The folder for `claimFiles` and `collectGarbage`. */
  readonly claims: string;
  boot(machine: Machine, run: Run): Promise<LibvirtGuest>;
  adopt(machine: KnownMachine, run: Run): Promise<LibvirtGuest | undefined>;
  /** A domain of somebody else, by its UUID. */
  borrow(uuid: string): Promise<BorrowedGuest | undefined>;
  /** Claims files before they are made, until a domain's mark names them. */
  claim(id: string, files: readonly string[]): ReturnType<typeof claimFiles>;
}

const validate = 1;
/** Before its first guest, and when in doubt, a daemon asks QEMU what it can do: a minute on a slow machine. */
const startMs = 180_000;

/** Opens libvirt at a URI: `qemu:///system`, `qemu:///session`, `qemu+ssh://host/system`. */
export async function openDriver(uri: string, options: DriverOptions): Promise<LibvirtDriver> {
  return new RealDriver(await openConnection(uri, options), options);
}

class RealDriver implements LibvirtDriver {
  readonly uri: string;
  readonly devices: Devices;
  readonly hosts: HostDomains;
  readonly networks: Networks;
  readonly pools: Pools;
  readonly volumes: Volumes;
  readonly claims: string;
  readonly #connection: Connection;
  readonly #options: DriverOptions;
  readonly #cache: string;
  #choice: Promise<Choice> | undefined;

  constructor(connection: Connection, options: DriverOptions) {
    this.uri = connection.uri;
    this.networks = networksOf(connection);
    this.volumes = volumesOf(connection);
    this.pools = poolsOf(connection);
    this.devices = devicesOf(connection);
    this.hosts = hostDomainsOf(connection, { volumes: this.volumes, render: options.render });
    this.#connection = connection;
    this.#options = options;
    this.#cache =
      options.cacheFolder ?? join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "provision");
    this.claims = join(this.#cache, "claims");
  }

  async accelerator(run: Run): Promise<Accelerator> {
    if (this.#choice === undefined) {
      this.#choice = this.#choose(run);
      const { accelerator, why } = await this.#choice;
      run.note(`Guests run under ${accelerator.toUpperCase()}: ${why}`);
    }
    return (await this.#choice).accelerator;
  }

  async fallsBack(error: unknown, run: Run): Promise<boolean> {
    if (this.#options.accelerator === "kvm" || !isAcceleratorFailure(error)) return false;
    if ((await this.#choice)?.accelerator !== "kvm") return false;
    this.#choice = giveUpKvm(await this.#memory());
    const { why } = await this.#choice;
    run.note(`Guests run under TCG from now on: ${why}`, "warning");
    return true;
  }

  /** Answers hold for one boot of this machine and one version of QEMU. */
  async #memory(): Promise<Memory | undefined> {
    if (!this.#isLocal) return undefined;
    const version = await this.#connection.use(async (on) => {
      const number: [unknown] = [0];
      await on.callWithin(startMs, "virConnectGetVersion", on.connection, number);
      return String(number[0]);
    });
    return { path: join(this.#cache, "accelerator.json"), key: `${await bootId()} ${version} ${this.uri}` };
  }

  async #choose(run: Run): Promise<Choice> {
    const memory = await this.#memory();
    const capabilities = await this.#connection.use(capabilitiesOf);
    const listed = /<domain type=['"]kvm['"]/.test(capabilities);
    const { render, accelerator: wish } = this.#options;
    return chooseAccelerator({
      wish,
      listed,
      memory,
      // The probe's disk is a file on this machine.
      probe: this.#isLocal ? () => probeKvm(this.#connection, render, run.signal) : undefined,
    });
  }

  startNetwork(name: string): Promise<void> {
    return this.networks.start(name);
  }

  claim(id: string, files: readonly string[]): ReturnType<typeof claimFiles> {
    return claimFiles(this.claims, id, files);
  }

  borrow(uuid: string): Promise<BorrowedGuest | undefined> {
    return borrowGuest(this.#connection, uuid);
  }

  async boot(machine: Machine, run: Run): Promise<LibvirtGuest> {
    const accelerator = await this.accelerator(run);
    await this.#refuseTaken(machine);
    await this.#checkFiles(machine);
    for (const card of machine.cards) if ("network" in card) await this.startNetwork(card.network);
    const owner = machine.mark.pid === process.pid ? await thisProcess() : undefined;
    const mark: Mark = {
      ...machine.mark,
      files: [...new Set([machine.console, ...machine.mark.files])],
      ...(owner && { owner }),
    };
    const { cpus = machine.cpus } = this.#options;
    const owned: Machine = { ...machine, cpus, mark };
    const remove = () => this.remove(owned);
    run.signal.throwIfAborted();
    try {
      // Ours before virtlogd makes it root's: then we may read it, whoever we are.
      if (this.#isLocal) await (await open(machine.console, "a", 0o600)).close();
      await this.#connection.use(async (on) => {
        const xml = domainXml(owned, accelerator, this.#options.render);
        const domain = await on.callWithin(startMs, "virDomainDefineXMLFlags", on.connection, xml, validate);
        on.take("virDomainFree", domain);
        await on.callWithin(startMs, "virDomainCreateWithFlags", domain, 0);
      });
    } catch (error) {
      await remove();
      throw error;
    }
    const known = { ...owned, macs: owned.cards.map(({ mac }) => mac) };
    return this.#guestOf(known, accelerator, remove);
  }

  #guestOf(machine: KnownMachine, accelerator: Accelerator, remove: () => Promise<void>): LibvirtGuest {
    const { console } = machine;
    return new LibvirtGuest({
      machine,
      console: { size: () => consoleSize(console), tail: (lines) => readConsoleTail(console, lines) },
      accelerator,
      connection: this.#connection,
      remove,
    });
  }

  async adopt(machine: KnownMachine, run: Run): Promise<LibvirtGuest | undefined> {
    const accelerator = await this.accelerator(run);
    const mark = await withDomain(this.#connection, machine.uuid, domainMark);
    if (mark === undefined) return undefined;
    const remove = () => this.remove({ uuid: machine.uuid, mark });
    return this.#guestOf(machine, accelerator, remove);
  }

  async #refuseTaken(machine: Machine): Promise<void> {
    await this.#connection.use(async (on) => {
      const domain = (await findDomain(on, machine.uuid)) ?? (await findDomainByName(on, machine.name));
      if (domain === undefined) return;
      const ours = (await domainMark(on, domain)) !== undefined;
      throw new ProvisionError("DOMAIN_EXISTS", {
        domain: await domainName(on, domain),
        uri: this.uri,
        ours,
      });
    });
  }

  async #checkFiles(machine: Machine): Promise<void> {
    if (!this.#isLocal) return;
    const user = qemuUserFrom(await this.#connection.use(capabilitiesOf));
    if (user === undefined) return;
    const paths = [
      ...machine.disks.map(({ path }) => path),
      ...(machine.seed === undefined ? [] : [machine.seed]),
    ];
    for (const path of paths) await checkQemuAccess(path, user);
  }

  async owned(): Promise<readonly OwnedDomain[]> {
    return this.#connection.use(async (on) => {
      const all: OwnedDomain[] = [];
      for (const domain of await listDomains(on)) {
        const mark = await domainMark(on, domain);
        if (mark === undefined) continue;
        const { state } = await domainCondition(on, domain);
        all.push({ name: await domainName(on, domain), uuid: await domainUuid(on, domain), state, mark });
      }
      return all;
    });
  }

  async remove(domain: Pick<OwnedDomain, "uuid" | "mark">): Promise<void> {
    const files = new Set(domain.mark.files);
    await withDomain(this.#connection, domain.uuid, async (on, found) => {
      const mark = await domainMark(on, found);
      if (mark === undefined) {
        throw new ProvisionError("DOMAIN_FOREIGN", { domain: await domainName(on, found), uri: this.uri });
      }
      // The domain knows better: snapshots and saved memory came after the mark we were given.
      for (const file of mark.files) files.add(file);
      const { console } = readDomainXml(await on.call("virDomainGetXMLDesc", found, 0));
      if (console !== undefined) rotated(console).forEach((file) => files.add(file));
      await powerOff(on, found);
      await undefine(on, found);
    });
    await this.#removeFiles([...files]);
  }

  async #removeFiles(files: readonly string[]): Promise<void> {
    if (this.#isLocal) return removeFiles(files);
    for (const file of files) await this.volumes.removeByPath(file);
  }

  /** libvirt's URIs name the machine only when it is another one. */
  get #isLocal(): boolean {
    return /^[^/]*:\/\/\//.test(this.uri);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#connection[Symbol.asyncDispose]());
  }
}

function capabilitiesOf(on: Session): Promise<string> {
  return on.callWithin(startMs, "virConnectGetCapabilities", on.connection);
}

/** virtlogd moves a console log of 2 MiB aside, three times. */
function rotated(console: string): readonly string[] {
  return [0, 1, 2].map((number) => `${console}.${number}`);
}
