import { acceleratorFailure } from "./accelerator.ts";
import type { Pointer } from "./binding.ts";
import type { Connection, Session } from "./connection.ts";
import type { DomainState, Mark } from "./driver.ts";
import { markFromXml, markNamespace, markToXml } from "./mark.ts";
import { isVirtError, virtCodes } from "./virt-error.ts";

/** A domain's state, and why it is in it where that matters. */
export interface DomainCondition {
  readonly state: DomainState;
  /** For people, when the guest did not get there by itself: "ran out of space on the hypervisor's disk". */
  readonly trouble: string | undefined;
}

/** Bits of virDomainUndefineFlags: managed save, snapshots, NVRAM, checkpoints. */
const undefineAll = 1 | 2 | 4 | 16;
const acpiButton = 1;
const affectConfig = 2;
const affectLive = 1;
const metadataElement = 2;

/** Runs `work` alone on the connection with the domain of this UUID; `undefined` when there is none. */
export function withDomain<T>(
  connection: Connection,
  uuid: string,
  work: (on: Session, domain: Pointer) => Promise<T>,
): Promise<T | undefined> {
  return connection.use(async (on) => {
    const domain = await findDomain(on, uuid);
    return domain === undefined ? undefined : work(on, domain);
  });
}

/** The domain of this UUID, held for the session. */
export function findDomain(on: Session, uuid: string): Promise<Pointer | undefined> {
  return unless(virtCodes.noDomain, () =>
    on
      .call("virDomainLookupByUUIDString", on.connection, uuid)
      .then((domain) => on.take("virDomainFree", domain)),
  );
}

/** The domain of this name, held for the session. */
export function findDomainByName(on: Session, name: string): Promise<Pointer | undefined> {
  return unless(virtCodes.noDomain, () =>
    on.call("virDomainLookupByName", on.connection, name).then((domain) => on.take("virDomainFree", domain)),
  );
}

/** All domains, held for the session. */
export async function listDomains(on: Session): Promise<readonly Pointer[]> {
  const array: [unknown] = [null];
  const count = await on.call("virConnectListAllDomains", on.connection, array, 0);
  return takeAll(on, "virDomainFree", array, count);
}

/** The handles in an array that libvirt allocated; they are held for the session. */
export function takeAll(
  on: Session,
  release: Parameters<Session["take"]>[0],
  array: readonly [unknown],
  count: number,
): readonly Pointer[] {
  const [address] = array;
  if (typeof address !== "bigint") return [];
  const handles = on.lib.pointers(address, count).map((handle) => on.take(release, handle));
  on.lib.free(address);
  return handles;
}

/** What `ask` gives; `undefined` when libvirt answers with `code`: there is no such thing, or no need. */
export async function unless<T>(code: number, ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (isVirtError(error, code)) return undefined;
    throw error;
  }
}

export async function domainCondition(on: Session, domain: Pointer): Promise<DomainCondition> {
  const state: [unknown] = [0];
  const reason: [unknown] = [0];
  await on.call("virDomainGetState", domain, state, reason, 0);
  return condition(Number(state[0]), Number(reason[0]));
}

/** From virDomainState and the reason enum that belongs to it. */
export function condition(state: number, reason: number): DomainCondition {
  const troubles: Readonly<Record<string, string>> = {
    "3/0": acceleratorFailure,
    "3/5": "was paused: QEMU could not read or write a disk image; the hypervisor's disk may be full",
    "3/6": "was paused by its watchdog",
    "3/10": "crashed and was paused",
    "5/2": "was switched off from outside",
    "5/3": "crashed",
    "5/6": "could not be started, or QEMU ended unexpectedly",
    "5/8": "was given up by libvirt's daemon",
    "6/0": "crashed",
    "6/1": "crashed: its kernel panicked",
  };
  const names: readonly DomainState[] = [
    "other",
    "running",
    "running",
    "paused",
    "running",
    "shut-off",
    "crashed",
  ];
  return { state: names[state] ?? "other", trouble: troubles[`${state}/${reason}`] };
}

export async function domainUuid(on: Session, domain: Pointer): Promise<string> {
  const text = Buffer.alloc(37);
  await on.call("virDomainGetUUIDString", domain, text);
  return text.toString("latin1", 0, 36);
}

export function domainName(on: Session, domain: Pointer): Promise<string> {
  return on.call("virDomainGetName", domain);
}

/** Our mark on a domain; `undefined` when it bears none that we can read. */
export async function domainMark(on: Session, domain: Pointer): Promise<Mark | undefined> {
  const xml = await unless(virtCodes.noDomainMetadata, () =>
    on.call("virDomainGetMetadata", domain, metadataElement, markNamespace, 0),
  );
  return xml === undefined ? undefined : markFromXml(xml);
}

/** Puts another mark on a domain, running or not. */
export async function setDomainMark(on: Session, domain: Pointer, mark: Mark): Promise<void> {
  const { state } = await domainCondition(on, domain);
  const flags = state === "running" || state === "paused" ? affectLive | affectConfig : affectConfig;
  // libvirt puts key and namespace on the element by itself, so ours goes in bare.
  const bare = markToXml(mark)
    .replace(/^<provision:mark [^>]*>/, "<mark>")
    .replace("</provision:mark>", "</mark>");
  await on.call("virDomainSetMetadata", domain, metadataElement, bare, "provision", markNamespace, flags);
}

/** Pulls the plug, if there is one to pull. */
export async function powerOff(on: Session, domain: Pointer): Promise<void> {
  await unless(virtCodes.operationInvalid, () => on.callWithin(90_000, "virDomainDestroyFlags", domain, 0));
}

/** Presses the power button. */
export async function pressPowerButton(on: Session, domain: Pointer): Promise<void> {
  // Switched off in between: just what was wanted.
  await unless(virtCodes.operationInvalid, () =>
    withKnownFlags(acpiButton, (flags) => on.call("virDomainShutdownFlags", domain, flags)),
  );
}

/** Removes the definition with all that libvirt keeps for it. */
export async function undefine(on: Session, domain: Pointer): Promise<void> {
  // A transient domain is gone with its power.
  await unless(virtCodes.noDomain, () =>
    withKnownFlags(undefineAll, (flags) => on.call("virDomainUndefineFlags", domain, flags)),
  );
}

/** Calls with those of the flags that the hypervisor knows: one that has no NVRAM refuses the flag for it. */
async function withKnownFlags<T>(flags: number, call: (flags: number) => Promise<T>): Promise<T> {
  try {
    return await call(flags);
  } catch (error) {
    const unknown =
      isVirtError(error, virtCodes.invalidArgument) && /flags \(0x([0-9a-f]+)\)/.exec(String(error));
    if (!unknown) throw error;
    return call(flags & ~Number.parseInt(unknown[1] ?? "0", 16));
  }
}

/** Whether a domain starts with its hypervisor. */
export async function getAutostart(on: Session, domain: Pointer): Promise<boolean> {
  const value: [unknown] = [0];
  await on.call("virDomainGetAutostart", domain, value);
  return value[0] === 1;
}
