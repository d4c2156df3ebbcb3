import type { Complaint, Where } from "../core/errors.ts";
import type { LoadedHost } from "./host-spec.ts";
import { readPrefix } from "./ip-address.ts";

/** What of a network card no other may have. */
interface Claim {
  readonly host: LoadedHost;
  /** The same for the same thing, however it is written. */
  readonly id: string;
  /** For people. */
  readonly what: string;
  readonly where: Where;
}

const mend = "Give each card a hardware address and addresses of its own";

/**
 * Hardware addresses and static addresses that a host has in common with one before it, or with itself; each is said
 * where it stands the second time.
 */
export function hostClashes(
  hosts: readonly LoadedHost[],
  others: readonly LoadedHost[] = [],
): readonly Complaint[] {
  const first = new Map<string, Claim>();
  for (const claim of others.flatMap(claimsOf)) first.set(claim.id, first.get(claim.id) ?? claim);
  return hosts.flatMap(claimsOf).flatMap((claim) => {
    const other = first.get(claim.id);
    if (other === undefined) {
      first.set(claim.id, claim);
      return [];
    }
    const { file, line, column } = other.where;
    const is = `is that of ${other.host.spec.name} at ${file}:${line}:${column} too`;
    const what = `Cannot give ${claim.host.spec.name} ${claim.what}: must be one card's alone, ${is}`;
    return [{ where: claim.where, what, mend }];
  });
}

function claimsOf(host: LoadedHost): readonly Claim[] {
  return host.spec.networks.flatMap(({ mac, addresses }, index) => {
    const at = ["networks", index];
    const addressClaims = addresses.map((text, place) => {
      const address = readPrefix(text);
      const id = `${address?.family} ${address?.value}`;
      return { host, id, what: `address "${text}"`, where: host.yaml.where([...at, "addresses", place]) };
    });
    return [
      { host, id: mac, what: `hardware address "${mac}"`, where: host.yaml.where([...at, "mac"]) },
      ...addressClaims,
    ];
  });
}
