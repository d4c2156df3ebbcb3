import type { Connection } from "./connection.ts";
import { consoleSize, readConsoleTail } from "./console.ts";
import { readDomainXml } from "./domain-xml.ts";
import { withDomain } from "./domains.ts";
import { type Snapshots, snapshotsOf } from "./snapshots.ts";

/** A domain of somebody else: it can be gone back with, and is never marked nor removed. */
export interface BorrowedGuest {
  readonly name: string;
  /** Hardware address of its first network card. */
  readonly mac: string;
  readonly snapshots: Pick<Snapshots, "take" | "revert" | "list" | "forget">;
  /** Last lines of the serial console, cleaned; none where it is not written to a file that we may read. */
  consoleTail(lines?: number): Promise<string>;
  consoleSize(): Promise<number>;
}

/** The domain of this UUID, whoever made it; `undefined` when there is none. */
export async function borrowGuest(connection: Connection, uuid: string): Promise<BorrowedGuest | undefined> {
  const xml = await withDomain(connection, uuid, (on, domain) => on.call("virDomainGetXMLDesc", domain, 0));
  if (xml === undefined) return undefined;
  const { name, console, macs } = readDomainXml(xml);
  return {
    name,
    mac: macs[0] ?? "",
    snapshots: snapshotsOf(connection, uuid),
    consoleTail: async (lines) => (console === undefined ? "" : readConsoleTail(console, lines)),
    consoleSize: async () => (console === undefined ? 0 : consoleSize(console)),
  };
}
