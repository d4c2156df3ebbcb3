import { isIP } from "node:net";

import { assert, ipV4, ipV6, property, string } from "fast-check";
import { describe, expect, it } from "vitest";

import {
  isInside,
  isLinkLocal,
  isReserved,
  isUnicast,
  readAddress,
  readPrefix,
} from "../../src/provisioner/spec/ip-address.ts";

function prefix(text: string) {
  const found = readPrefix(text);
  if (found === undefined) throw new Error(`${text} is no prefix`);
  return found;
}

describe("readAddress", () => {
  it.each([
    ["0.0.0.1", 4, 1n],
    ["192.0.2.10", 4, 0xc000020an],
    ["::", 6, 0n],
    ["::1", 6, 1n],
    ["2001:DB8::10", 6, 0x20010db8000000000000000000000010n],
    ["2001:db8:0:0:0:0:0:10", 6, 0x20010db8000000000000000000000010n],
    ["fe80::", 6, 0xfe80n << 112n],
    ["::ffff:192.0.2.10", 6, 0xffffc000020an],
    ["1:2:3:4:5:6:192.0.2.10", 6, 0x100020003000400050006c000020an],
  ])("reads %s", (text, family, value) => {
    expect(readAddress(text)).toEqual({ family, value });
  });

  it.each([
    "",
    "192.0.2",
    "192.0.2.1.1",
    "192.0.2.256",
    "192.0.2.01",
    "192.0.2.1 ",
    "1::2::3",
    ":1",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7::8",
    "1:2:3:4:5:6:7:8:9",
    "12345::",
    "192.0.2.1::",
    "::192.0.2.1:1",
    "fe80::1%eth0",
    "example.org",
  ])("takes %j for none", (text) => {
    expect(readAddress(text)).toBeUndefined();
  });

  it("agrees with Node about what an address is", () => {
    assert(property(ipV4(), (text) => readAddress(text)?.family === 4));
    assert(property(ipV6(), (text) => readAddress(text)?.family === 6));
    const letters = string({ unit: string({ unit: "grapheme-ascii", minLength: 1, maxLength: 1 }) });
    assert(property(letters, (text) => (readAddress(text)?.family ?? 0) === isIP(text)));
  });
});

describe("readPrefix", () => {
  it.each([
    "192.0.2.1",
    "192.0.2.1/33",
    "192.0.2.1/-1",
    "192.0.2.1/024",
    "192.0.2.1/24/24",
    "::1/129",
    "/24",
  ])("takes %j for none", (text) => {
    expect(readPrefix(text)).toBeUndefined();
  });

  it("reads an address and the length of its network", () => {
    expect(readPrefix("192.0.2.1/0")).toEqual({ family: 4, value: 0xc0000201n, length: 0 });
    expect(readPrefix("::1/128")).toEqual({ family: 6, value: 1n, length: 128 });
  });
});

describe("an address", () => {
  it.each([
    ["192.0.2.1", "192.0.2.200/24", true],
    ["192.0.3.1", "192.0.2.200/24", false],
    ["192.0.3.1", "192.0.2.200/23", true],
    ["2001:db8::1", "2001:db8::ffff/64", true],
    ["2001:db8:0:1::1", "2001:db8::ffff/64", false],
    ["::c000:201", "192.0.2.1/24", false],
  ])("%s in the network of %s: %s", (address, text, inside) => {
    const found = readAddress(address);

    expect(found && isInside(found, prefix(text))).toBe(inside);
  });

  it.each([
    ["192.0.2.0/24", true],
    ["192.0.2.255/24", true],
    ["192.0.2.1/24", false],
    ["192.0.2.0/31", false],
    ["192.0.2.0/32", false],
    ["192.0.2.0/23", true],
    ["192.0.2.255/23", false],
    ["2001:db8::/64", true],
    ["2001:db8::ffff:ffff:ffff:ffff/64", false],
    ["2001:db8::/127", false],
  ])("%s is the network's own: %s", (text, reserved) => {
    expect(isReserved(prefix(text))).toBe(reserved);
  });

  it.each([
    ["192.0.2.1/24", true],
    ["0.0.0.0/0", false],
    ["127.0.0.1/8", false],
    ["224.0.0.1/24", false],
    ["255.255.255.255/32", false],
    ["::/64", false],
    ["::1/64", false],
    ["ff02::1/64", false],
    ["fe80::1/64", true],
  ])("%s is one that a machine can have: %s", (text, unicast) => {
    expect(isUnicast(prefix(text))).toBe(unicast);
  });

  it("is link-local in fe80::/10 alone", () => {
    expect(
      ["fe80::1/64", "febf::1/64", "fec0::1/64", "169.254.0.1/16"].map((text) => isLinkLocal(prefix(text))),
    ).toEqual([true, true, false, false]);
  });
});
