/** An address of either family as a number. */
export interface IpAddress {
  readonly family: 4 | 6;
  readonly value: bigint;
}

/** An address with the size of its network: `192.0.2.10/24`. */
export interface IpPrefix extends IpAddress {
  readonly length: number;
}

/** An address as people write it; `undefined` when it is none. Without zones, and without zeros before a number. */
export function readAddress(text: string): IpAddress | undefined {
  if (text.includes(":")) return readSix(text);
  const value = readFour(text);
  return value === undefined ? undefined : { family: 4, value };
}

/** An address with `/` and a length that its family has. */
export function readPrefix(text: string): IpPrefix | undefined {
  const [before = "", after = "", ...more] = text.split("/");
  const address = readAddress(before);
  if (address === undefined || more.length > 0 || !/^(0|[1-9]\d{0,2})$/.test(after)) return undefined;
  const length = Number(after);
  return length > bitsOf(address) ? undefined : { ...address, length };
}

/** Whether both are of one network. */
export function isInside(address: IpAddress, prefix: IpPrefix): boolean {
  return address.family === prefix.family && networkOf(address, prefix) === networkOf(prefix, prefix);
}

/** The network's own address, or the one that all on it hear: no machine can have either. */
export function isReserved(prefix: IpPrefix): boolean {
  const host = prefix.value & ((1n << hostBits(prefix)) - 1n);
  // Networks of two and of one address have neither (RFC 3021, RFC 6164).
  if (hostBits(prefix) < 2n) return false;
  return host === 0n || (prefix.family === 4 && host === (1n << hostBits(prefix)) - 1n);
}

/** Whether a machine's interface can bear it, and others reach it there: no loopback, no group, no "any". */
export function isUnicast(address: IpAddress): boolean {
  const special = address.family === 4 ? ["0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3"] : ["::/127", "ff00::/8"];
  return !special.some((text) => isIn(address, text));
}

/** An address of IPv6 that is good on its own cable alone. */
export function isLinkLocal(address: IpAddress): boolean {
  return isIn(address, "fe80::/10");
}

function isIn(address: IpAddress, text: string): boolean {
  const prefix = readPrefix(text);
  return prefix !== undefined && isInside(address, prefix);
}

function networkOf({ value }: IpAddress, prefix: IpPrefix): bigint {
  return value >> hostBits(prefix);
}

function hostBits(prefix: IpPrefix): bigint {
  return BigInt(bitsOf(prefix) - prefix.length);
}

function bitsOf({ family }: IpAddress): number {
  return family === 4 ? 32 : 128;
}

function readFour(text: string): bigint | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256))
    return undefined;
  return joined(parts.map(BigInt), 8n);
}

function readSix(text: string): IpAddress | undefined {
  const [left = "", right, ...more] = text.split("::");
  if (more.length > 0) return undefined;
  const before = groups(left, right === undefined);
  const after = groups(right ?? "", true);
  if (before === undefined || after === undefined) return undefined;
  const missing = 8 - before.length - after.length;
  if (right === undefined ? missing !== 0 : missing < 1) return undefined;
  return { family: 6, value: joined([...before, ...Array<bigint>(missing).fill(0n), ...after], 16n) };
}

/** Groups of four hex digits; the last two may be an address of IPv4 where the text ends. */
function groups(text: string, isEnd: boolean): readonly bigint[] | undefined {
  if (text === "") return [];
  const parts = text.split(":");
  const four = isEnd ? readFour(parts.at(-1) ?? "") : undefined;
  const hex = four === undefined ? parts : parts.slice(0, -1);
  if (!hex.every((part) => /^[0-9a-fA-F]{1,4}$/.test(part))) return undefined;
  const tail = four === undefined ? [] : [four >> 16n, four & 0xffffn];
  return [...hex.map((part) => BigInt(`0x${part}`)), ...tail];
}

function joined(parts: readonly bigint[], bits: bigint): bigint {
  return parts.reduce((value, part) => (value << bits) | part, 0n);
}
