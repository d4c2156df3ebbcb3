import { randomUUID } from "node:crypto";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { ProvisionError } from "../core/errors.ts";
import type { RenderTemplate } from "../core/templates.ts";
import { until } from "../core/until.ts";
import type { Probe } from "./accelerator.ts";
import type { Connection } from "./connection.ts";
import { domainXml } from "./domain-xml.ts";
import { domainCondition, findDomain, powerOff } from "./domains.ts";
import { tinyGuest } from "./tiny-guest.ts";

const line = "provision: this guest runs";
/** Under KVM the line is there in half a second; a machine under load may need some more. */
const deadlineMs = 8000;
/** A daemon asks QEMU what it can do before its first guest: a minute on a slow machine. */
const startMs = 180_000;
/** Gone when our connection is: nothing to clean up, however we end. */
const autodestroy = 2;

/** Starts a one-sector guest under KVM and looks whether its line comes out. /dev/kvm alone proves nothing. */
export async function probeKvm(
  connection: Connection,
  render: RenderTemplate,
  signal: AbortSignal,
): Promise<Probe> {
  const folder = await mkdtemp(join(tmpdir(), "provision-probe-"));
  const uuid = randomUUID();
  try {
    await using own = await connection.another();
    // QEMU's user gets the disk from libvirt, but must come through the folder by itself.
    await chmod(folder, 0o711);
    const disk = join(folder, "disk.raw");
    const console = join(folder, "console.log");
    await writeFile(disk, tinyGuest(line, "power-off"), { mode: 0o644 });
    await writeFile(console, "", { mode: 0o600 });
    const xml = domainXml(
      {
        name: `provision-probe-${uuid}`,
        uuid,
        cpus: 1,
        memoryMiB: 16,
        disks: [{ path: disk, format: "raw", cache: "unsafe" }],
        seed: undefined,
        cards: [],
        console,
        firmware: "bios",
        mark: { role: "probe", run: uuid, pid: process.pid, files: [disk, console, folder] },
      },
      "kvm",
      render,
    );
    await own.use(async (on) => {
      const domain = await on.callWithin(startMs, "virDomainCreateXML", on.connection, xml, autodestroy);
      on.take("virDomainFree", domain);
    });
    return await watch(own, uuid, console, signal);
  } catch (error) {
    if (!(error instanceof ProvisionError) || error.code !== "LIBVIRT_FAILED") throw error;
    return { ran: false, why: error.message, sure: /kvm/i.test(error.message) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function watch(
  connection: Connection,
  uuid: string,
  console: string,
  signal: AbortSignal,
): Promise<Probe> {
  const ending = await until(
    async (): Promise<Probe | undefined> => {
      const trouble = await connection.use(async (on) => {
        const domain = await findDomain(on, uuid);
        if (domain === undefined) return "it ended without a word";
        const { state, trouble: why } = await domainCondition(on, domain);
        return state === "running" ? undefined : (why ?? `it is ${state}`);
      });
      // Read after the state: a guest that has ended has said what it had to say.
      if ((await readFile(console, "utf8")).includes(line)) return { ran: true };
      return trouble === undefined ? undefined : { ran: false, why: trouble, sure: true };
    },
    { deadlineMs, pauseMs: 50, longestMs: 250, signal },
  );
  await connection.use(async (on) => {
    const domain = await findDomain(on, uuid);
    if (domain !== undefined) await powerOff(on, domain);
  });
  return ending ?? { ran: false, why: `it printed nothing within ${deadlineMs / 1000} s`, sure: true };
}
