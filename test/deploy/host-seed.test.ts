import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";
import { parse } from "yaml";

import { hostSeed, sudoersFile, withoutSecrets } from "../../src/provisioner/deploy/host-seed.ts";
import { seedFiles } from "../../src/provisioner/libvirt/seed.ts";
import type { HostSpec } from "../../src/provisioner/spec/host-spec.ts";
import { someCard, someHost } from "../support/some-host.ts";

const hostKey = { privateKey: "-----BEGIN X-----\nabc\n-----END X-----\n", publicKey: "ssh-ed25519 AAAA" };
const authorizedKeys = new Map([["alice", ["ssh-ed25519 BBBB alice@desk: #1"]]]);

const files = (spec: HostSpec) => seedFiles(hostSeed(spec, { hostKey, authorizedKeys }));
const read = (spec: HostSpec, file: string) =>
  parse(files(spec)[file] ?? "", { version: "1.1" }) as Readonly<Record<string, unknown>>;

const whole = someHost({
  fqdn: "web.example.org",
  timezone: "Europe/Berlin",
  networks: [
    someCard({
      interface: "lan0",
      dhcp4: false,
      addresses: ["192.0.2.10/24", "2001:db8::10/64"],
      gateways: ["192.0.2.1", "fe80::1"],
      dns: { servers: ["192.0.2.53"], search: ["example.org"] },
    }),
    someCard({ mac: "52:54:00:00:00:02", interface: "no", dhcp6: true }),
  ],
  users: [
    {
      name: "alice",
      comment: 'Alice "A": #1',
      keys: [],
      groups: ["adm", "video"],
      sudo: true,
      shell: "/usr/bin/zsh",
    },
    { name: "yes", comment: undefined, keys: [], groups: [], sudo: false, shell: "/bin/bash" },
  ],
});

describe("hostSeed", () => {
  it.each(["meta-data", "user-data", "network-config"])("writes %s to the letter", (name) => {
    expect(files(whole)[name]).toBe(readFileSync(new URL(`golden/${name}`, import.meta.url), "utf8"));
  });

  it("says nothing of what the host leaves to its image", () => {
    const userData = read(someHost(), "user-data");

    expect(Object.keys(userData)).not.toContain("fqdn");
    expect(Object.keys(userData)).not.toContain("timezone");
    expect(userData["users"]).toEqual([
      {
        name: "alice",
        shell: "/bin/bash",
        lock_passwd: true,
        ssh_authorized_keys: ["ssh-ed25519 BBBB alice@desk: #1"],
      },
    ]);
    expect(read(someHost(), "network-config")).toEqual({
      version: 2,
      ethernets: {
        net0: {
          match: { macaddress: "52:54:00:00:00:01" },
          "set-name": "net0",
          dhcp4: true,
          dhcp6: false,
        },
      },
    });
  });

  it("names an instance by who the host is, not by what it is given", () => {
    const id = (spec: HostSpec, key = hostKey) =>
      hostSeed(spec, { hostKey: key, authorizedKeys }).metaData["instance-id"];
    const plain = id(someHost());

    expect(plain).toMatch(/^web-[0-9a-f]{16}$/);
    expect(id(someHost({ memoryMiB: 4096, networks: [], users: [], timezone: "Etc/UTC" }))).toBe(plain);
    expect(id(someHost({ name: "mail" }))).not.toBe(plain);
    expect(id(someHost({ fqdn: "web.example.org" }))).not.toBe(plain);
    expect(id(someHost(), { ...hostKey, publicKey: "ssh-ed25519 CCCC" })).not.toBe(plain);
  });

  it("lets nobody in by password, and nobody who has no key", () => {
    const users = read(whole, "user-data")["users"] as readonly Readonly<Record<string, unknown>>[];

    expect(read(whole, "user-data")).toMatchObject({ ssh_pwauth: false, disable_root: true });
    expect(
      users.map(({ name, lock_passwd, ssh_authorized_keys }) => [name, lock_passwd, ssh_authorized_keys]),
    ).toEqual([
      ["alice", true, ["ssh-ed25519 BBBB alice@desk: #1"]],
      ["yes", true, undefined],
    ]);
  });

  it("lets those do everything of whom the host's file says it, by a file of its own", () => {
    expect(read(whole, "user-data")["write_files"]).toEqual([
      {
        path: sudoersFile,
        content: "# Made by provision from the host's file\nalice ALL=(ALL:ALL) NOPASSWD:ALL\n",
        permissions: "0440",
        owner: "root:root",
      },
    ]);
  });

  it("holds no private key once the host has it, and is the same host's still", () => {
    const seed = hostSeed(whole, { hostKey, authorizedKeys });
    const after = withoutSecrets(seed);

    expect(JSON.stringify(seedFiles(after))).not.toContain("BEGIN X");
    expect(after).toMatchObject({ metaData: seed.metaData, networkConfig: seed.networkConfig });
    expect(after.userData["users"]).toEqual(seed.userData["users"]);
  });
});
