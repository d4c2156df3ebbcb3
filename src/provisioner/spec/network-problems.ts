import type { NetworkText } from "./host-schema.ts";
import { isInside, isLinkLocal, isReserved, isUnicast, readAddress, readPrefix } from "./ip-address.ts";
import type { IpAddress, IpPrefix } from "./ip-address.ts";
import type { Path } from "./read-yaml.ts";
import type { Problem } from "./read-union.ts";

/** What is wrong with the addresses of a network card at `path`. */
export function networkProblems(card: NetworkText, path: Path): readonly Problem[] {
  const { addresses = [], gateways = [], dns } = card;
  const own = addresses.flatMap((text) => readPrefix(text) ?? []);
  const check = (texts: readonly string[], at: Path, says: (text: string) => string | undefined): Problem[] =>
    texts.flatMap((text, index) => {
      const wrong = says(text);
      return wrong === undefined
        ? []
        : [{ path: [...path, ...at, index], part: "value", says: `${wrong}, is "${text}"` }];
    });
  return [
    ...check(addresses, ["addresses"], addressSays),
    ...check(gateways, ["gateways"], (text) => gatewaySays(text, own, gateways)),
    ...check(dns?.servers ?? [], ["dns", "servers"], serverSays),
  ];
}

function addressSays(text: string): string | undefined {
  const prefix = readPrefix(text);
  if (prefix === undefined) {
    return readAddress(text) === undefined
      ? "must be an address with the size of its network (192.0.2.10/24)"
      : `must have the size of its network behind it (${text}/${text.includes(":") ? 64 : 24})`;
  }
  if (!isUnicast(prefix)) return "must be an address that one machine can have";
  return isReserved(prefix) ? "must be a machine's address, not that of the network itself" : undefined;
}

function gatewaySays(
  text: string,
  own: readonly IpPrefix[],
  gateways: readonly string[],
): string | undefined {
  const gateway = readAddress(text);
  if (gateway === undefined) return "must be an address without a size (192.0.2.1)";
  const { family } = gateway;
  if (gateways.find((other) => readAddress(other)?.family === family) !== text)
    return `must be the only one for IPv${family}`;
  const near = own.filter((prefix) => prefix.family === family);
  if (near.length === 0) return `must stand beside an address of IPv${family} under \`addresses\``;
  if (near.some(({ value }) => value === gateway.value)) return "must be another machine's address";
  return isReachable(gateway, near) ? undefined : "must be inside the network of an address beside it";
}

function isReachable(gateway: IpAddress, near: readonly IpPrefix[]): boolean {
  return isLinkLocal(gateway) || near.some((prefix) => isInside(gateway, prefix));
}

function serverSays(text: string): string | undefined {
  return readAddress(text) === undefined ? "must be an address (192.0.2.1)" : undefined;
}
