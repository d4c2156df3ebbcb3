import { entry } from "./entry.ts";

/** What goes wrong with deployed hosts. */
export const hosts = {
  POOL_FULL: entry<{ pool: string; uri: string; what: string; neededMiB: number; freeMiB: number }>({
    exit: 5,
    say: ({ pool, uri, what, neededMiB, freeMiB }) =>
      `Cannot bring ${what} to pool "${pool}" at "${uri}": ${neededMiB} MiB must be free, ${freeMiB} MiB are`,
    mend: () => "Free space there: `provision gc` removes images that no host stands on",
  }),
  POOL_IMAGE_DAMAGED: entry<{ image: string; path: string; uri: string; disks: readonly string[] }>({
    exit: 5,
    say: ({ image, path, uri, disks }) =>
      `Cannot start a host from ${image}: "${path}" at "${uri}" must be that image, has another length; ${disks.join(", ")} ${disks.length === 1 ? "stands" : "stand"} on it`,
    mend: ({ path }) =>
      `Find out what wrote to "${path}": the hosts on it may be damaged; deploy them anew from another version with --replace, and remove it then`,
  }),
  HOST_BEING_MADE: entry<{ host: string; holder: string }>({
    exit: 7,
    say: ({ host, holder }) =>
      `Cannot work on ${host}: it must be finished, is still being made by ${holder}`,
    mend: () => "Wait until that run has ended; `provision gc` removes what a dead one left",
  }),
  HOST_NOT_DEPLOYED: entry<{ host: string; uri: string; hasFile: boolean }>({
    exit: 4,
    say: ({ host, uri }) => `Cannot find host "${host}" at "${uri}": it must be deployed, is not`,
    mend: ({ host, hasFile }) =>
      hasFile
        ? `Run \`provision deploy ${host}\``
        : "Name one of those that `provision vms` lists; --connect says which hypervisor to ask",
  }),
  HOST_HAS_NO_ADDRESS: entry<{ host: string; state: string }>({
    exit: 4,
    say: ({ host, state }) => `Cannot reach ${host}: it must have an address, has none (it is ${state})`,
    mend: ({ host }) =>
      `Start it with \`provision start ${host}\`, or wait until it is up; \`provision console ${host}\` shows how far it is`,
  }),
  HOST_NEEDS_REPLACE: entry<{ host: string; changes: readonly string[] }>({
    exit: 2,
    say: ({ host, changes }) =>
      `Cannot change ${host} in place: ${changes.join("; ")} takes a new system disk`,
    mend: ({ host }) =>
      `Run \`provision deploy ${host} --replace\`: it says what is lost and asks; or put the host's file back`,
  }),
  HOST_DISK_TOO_SMALL: entry<{ host: string; sizeGiB: number; neededGiB: number; image: string }>({
    exit: 2,
    say: ({ host, sizeGiB, neededGiB, image }) =>
      `Cannot make ${host}: its disk must have ${neededGiB} GiB, as image ${image} has, has ${sizeGiB} GiB`,
    mend: ({ neededGiB }) =>
      `Write disk: {sizeGiB: ${neededGiB}} into the host's file, or leave the size out`,
  }),
  DISK_IN_THE_WAY: entry<{ host: string; disk: string; pool: string; uri: string }>({
    exit: 4,
    say: ({ host, disk, pool, uri }) =>
      `Cannot make ${host}: volume "${disk}" of pool "${pool}" at "${uri}" must not be there, is left of an earlier host`,
    mend: ({ host }) =>
      `Keep it under another name, or remove it with \`provision destroy ${host} --purge\`; --replace makes the host in its place`,
  }),
  MAC_TAKEN: entry<{ host: string; mac: string; domain: string; uri: string }>({
    exit: 4,
    say: ({ host, mac, domain, uri }) =>
      `Cannot make ${host}: hardware address ${mac} must be free at "${uri}", is domain "${domain}"'s`,
    mend: () => "Give the card another `mac` in the host's file, or leave `mac` out",
  }),
  ADDRESS_TAKEN: entry<{ host: string; address: string; by: string }>({
    exit: 4,
    say: ({ host, address, by }) => `Cannot give ${host} the address ${address}: it must be free, is ${by}`,
    mend: () => "Give the host another address in its file, or take it from who has it",
  }),
} as const;
