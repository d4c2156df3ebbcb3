import type { RenderTemplate } from "../core/templates.ts";
import type { Connection } from "./connection.ts";
import { cleanConsole } from "./console.ts";
import { type DomainFacts, domainXml, readDomainXml } from "./domain-xml.ts";
import {
  domainCondition,
  domainMark,
  domainUuid,
  findDomainByName,
  getAutostart,
  listDomains,
  powerOff,
  setDomainMark,
  undefine,
  withDomain,
} from "./domains.ts";
import type { Accelerator, DomainState, Guest, Machine, Mark } from "./driver.ts";
import { type Console, LibvirtGuest } from "./guest.ts";
import type { Volumes } from "./volumes.ts";

/** A domain by its name, ours or not. */
export interface FoundDomain {
  readonly name: string;
  readonly uuid: string;
  readonly state: DomainState;
  /** `undefined`: it is not ours. */
  readonly mark: Mark | undefined;
  /** As it is defined: a guest that is up may still run as it was before. */
  readonly facts: DomainFacts;
  readonly autostart: boolean;
}

/** Domains that stay. All of their files are volumes of a pool, so that a hypervisor may be another machine. */
export interface HostDomains {
  find(name: string): Promise<FoundDomain | undefined>;
  /** Every domain there is, ours or not. */
  all(): Promise<readonly FoundDomain[]>;
  /** Defines a machine, or defines it anew; one that is up goes on as it was until it is started again. */
  define(machine: Machine, accelerator: Accelerator): Promise<void>;
  setMark(uuid: string, mark: Mark): Promise<void>;
  setAutostart(uuid: string, value: boolean): Promise<void>;
  /** A handle on one that is defined. Disposing it does nothing: it stays. */
  guest(domain: Pick<FoundDomain, "name" | "uuid" | "mark" | "facts">): Guest;
  /** Pulls the plug, if there is one to pull. */
  powerOff(uuid: string): Promise<void>;
  /** Lets one that is paused go on. */
  resume(uuid: string): Promise<void>;
  /** Pulls the plug and forgets the definition, with NVRAM, saved memory and snapshots; the volumes stay. */
  undefine(uuid: string): Promise<void>;
}

const validate = 1;
const inactive = 2;
const defineMs = 180_000;
/** The last of a console that is ever looked at. */
const window = 64 * 1024;

export function hostDomainsOf(
  connection: Connection,
  { volumes, render }: { readonly volumes: Volumes; readonly render: RenderTemplate },
): HostDomains {
  return {
    find: (name) =>
      connection.use(async (on) => {
        const domain = await findDomainByName(on, name);
        return domain === undefined ? undefined : factsOf(on, domain);
      }),
    all: () =>
      connection.use(async (on) => {
        const all: FoundDomain[] = [];
        for (const domain of await listDomains(on)) all.push(await factsOf(on, domain));
        return all;
      }),
    define: (machine, accelerator) =>
      connection.use(async (on) => {
        const xml = domainXml(machine, accelerator, render);
        const domain = await on.callWithin(defineMs, "virDomainDefineXMLFlags", on.connection, xml, validate);
        on.take("virDomainFree", domain);
      }),
    setMark: async (uuid, mark) => {
      await withDomain(connection, uuid, (on, domain) => setDomainMark(on, domain, mark));
    },
    setAutostart: async (uuid, value) => {
      await withDomain(connection, uuid, (on, domain) =>
        on.call("virDomainSetAutostart", domain, value ? 1 : 0),
      );
    },
    guest: ({ name, uuid, mark, facts }) => {
      const console = volumeConsole(volumes, mark?.host?.pool ?? "default", facts.console ?? "");
      const { accelerator, macs } = facts;
      const stays = async () => {};
      return new LibvirtGuest({
        machine: { name, uuid, macs },
        accelerator,
        connection,
        console,
        remove: stays,
      });
    },
    powerOff: async (uuid) => {
      await withDomain(connection, uuid, powerOff);
    },
    resume: async (uuid) => {
      await withDomain(connection, uuid, (on, domain) => on.call("virDomainResume", domain));
    },
    undefine: async (uuid) => {
      await withDomain(connection, uuid, async (on, domain) => {
        await powerOff(on, domain);
        await undefine(on, domain);
      });
    },
  };

  async function factsOf(
    on: Parameters<typeof domainMark>[0],
    domain: Parameters<typeof domainMark>[1],
  ): Promise<FoundDomain> {
    const facts = readDomainXml(await on.call("virDomainGetXMLDesc", domain, inactive));
    return {
      name: facts.name,
      uuid: await domainUuid(on, domain),
      state: (await domainCondition(on, domain)).state,
      mark: await domainMark(on, domain),
      facts,
      autostart: await getAutostart(on, domain),
    };
  }
}

/** A console log that lies in a pool: readable for whoever may talk to libvirt, on any machine. */
function volumeConsole(volumes: Volumes, pool: string, path: string): Console {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return {
    size: () => volumes.length(pool, name),
    tail: async (lines = 40) =>
      cleanConsole((await volumes.readEnd(pool, name, window)).toString("utf8"))
        .split("\n")
        .slice(-lines)
        .join("\n"),
  };
}
