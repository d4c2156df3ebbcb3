import { basename, dirname, join } from "node:path";

import type { Pointer } from "./binding.ts";
import type { Connection, Session } from "./connection.ts";
import { readDomainXml } from "./domain-xml.ts";
import { domainMark, unless, setDomainMark, takeAll, withDomain } from "./domains.ts";
import { escape } from "./networks.ts";
import { virtCodes } from "./virt-error.ts";

/** States of a guest that can be gone back to. For scratch machines; never for what is published. */
export interface Snapshots {
  /**
   * From now on each writable disk is written to a new file beside it; the old ones stay as they are. With
   * `quiesce` the guest's agent freezes its file systems meanwhile. Gives the new files; they belong to the mark.
   */
  freezeDisks(name: string, options: { readonly quiesce: boolean }): Promise<readonly string[]>;
  /** A snapshot inside libvirt: memory and disks, where the hypervisor and the disks' format can. */
  take(name: string): Promise<void>;
  revert(name: string): Promise<void>;
  list(): Promise<readonly string[]>;
  /** Deletes it. The files of frozen disks stay: later ones stand on them. Idempotent. */
  forget(name: string): Promise<void>;
  /** Stops the guest and writes its memory to a file; the file belongs to the mark. */
  save(path: string): Promise<void>;
  /** Goes on from such a file. The disks must be as they were; the guest's clock is behind: set it. */
  restore(path: string): Promise<void>;
}

const create = { diskOnly: 16, quiesce: 64, atomic: 128 };
const metadataOnly = 2;
/** Memory goes through a file, at a disk's pace. */
const memoryMs = 600_000;

export function snapshotsOf(connection: Connection, uuid: string): Snapshots {
  const inDomain = async <T>(work: (on: Session, domain: Pointer) => Promise<T>): Promise<T> => {
    const done = await withDomain(connection, uuid, async (on, domain) => ({
      value: await work(on, domain),
    }));
    if (done === undefined) throw new Error(`There is no domain ${uuid}`);
    return done.value;
  };
  const withSnapshot = (name: string, work: (on: Session, snapshot: Pointer) => Promise<unknown>) =>
    inDomain(async (on, domain) => {
      const snapshot = await on.call("virDomainSnapshotLookupByName", domain, name, 0);
      await work(on, on.take("virDomainSnapshotFree", snapshot));
    });

  return {
    freezeDisks: (name, { quiesce }) =>
      inDomain(async (on, domain) => {
        const { disks } = readDomainXml(await on.call("virDomainGetXMLDesc", domain, 0));
        const fresh = disks.map((disk) => ({ ...disk, file: beside(disk.path, name) }));
        const files = fresh.filter((disk) => !disk.readOnly).map(({ file }) => file);
        // Written down first: what is made now must be found if we die next.
        await claim(on, domain, files);
        const flags = create.diskOnly | create.atomic | (quiesce ? create.quiesce : 0);
        const taken = await on.callWithin(
          120_000,
          "virDomainSnapshotCreateXML",
          domain,
          snapshotXml(name, fresh),
          flags,
        );
        on.take("virDomainSnapshotFree", taken);
        return files;
      }),
    take: (name) =>
      inDomain(async (on, domain) => {
        const xml = `<domainsnapshot><name>${escape(name)}</name></domainsnapshot>`;
        const taken = await on.callWithin(memoryMs, "virDomainSnapshotCreateXML", domain, xml, 0);
        on.take("virDomainSnapshotFree", taken);
      }),
    revert: (name) =>
      withSnapshot(name, (on, snapshot) => on.callWithin(memoryMs, "virDomainRevertToSnapshot", snapshot, 0)),
    list: () =>
      inDomain(async (on, domain) => {
        const array: [unknown] = [null];
        const count = await on.call("virDomainListAllSnapshots", domain, array, 0);
        const names: string[] = [];
        for (const snapshot of takeAll(on, "virDomainSnapshotFree", array, count)) {
          names.push(await on.call("virDomainSnapshotGetName", snapshot));
        }
        return names;
      }),
    forget: (name) =>
      inDomain(async (on, domain) => {
        const snapshot = await unless(virtCodes.noDomainSnapshot, () =>
          on.call("virDomainSnapshotLookupByName", domain, name, 0),
        );
        if (snapshot === undefined) return;
        on.take("virDomainSnapshotFree", snapshot);
        const xml = await on.call("virDomainSnapshotGetXMLDesc", snapshot, 0);
        const flags = /snapshot=['"]external['"]/.test(xml) ? metadataOnly : 0;
        await on.callWithin(memoryMs, "virDomainSnapshotDelete", snapshot, flags);
      }),
    save: (path) =>
      inDomain(async (on, domain) => {
        await claim(on, domain, [path]);
        await on.callWithin(memoryMs, "virDomainSaveFlags", domain, path, null, 0);
      }),
    restore: (path) =>
      connection.use(async (on) => {
        await on.callWithin(memoryMs, "virDomainRestoreFlags", on.connection, path, null, 0);
      }),
  };
}

async function claim(on: Session, domain: Pointer, files: readonly string[]): Promise<void> {
  const mark = await domainMark(on, domain);
  if (mark === undefined) return;
  await setDomainMark(on, domain, { ...mark, files: [...new Set([...mark.files, ...files])] });
}

function beside(path: string, name: string): string {
  return join(dirname(path), `${basename(path)}.${name}`);
}

function snapshotXml(
  name: string,
  disks: readonly { readonly target: string; readonly readOnly: boolean; readonly file: string }[],
): string {
  const each = disks.map(({ target, readOnly, file }) =>
    readOnly
      ? `<disk name='${target}' snapshot='no'/>`
      : `<disk name='${target}' snapshot='external'><source file='${escape(file)}'/></disk>`,
  );
  return `<domainsnapshot><name>${escape(name)}</name><disks>${each.join("")}</disks></domainsnapshot>`;
}
