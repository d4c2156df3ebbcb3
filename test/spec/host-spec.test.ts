import { mkdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";

import { describe, expect, it } from "vitest";

import { ProvisionError } from "../../src/provisioner/core/errors.ts";
import { registry } from "../../src/provisioner/cli/compose.ts";
import { findHost, hostNames } from "../../src/provisioner/spec/find-hosts.ts";
import { hostClashes } from "../../src/provisioner/spec/host-clashes.ts";
import { loadHostSpec } from "../../src/provisioner/spec/host-spec.ts";
import { imageFormat } from "../../src/provisioner/spec/image-format.ts";
import { keyFileFormat } from "../../src/provisioner/spec/public-key.ts";
import { somePublicKey } from "../support/public-key.ts";
import { scratchFolder } from "../support/scratch-folder.ts";
import { someCard, someHost, someUser } from "../support/some-host.ts";

const key = somePublicKey();
const admin = "users: [{name: admin, keys: [agent], sudo: true}]\n";
const least = `image: base\n${admin}`;

async function load(file: string, files: Readonly<Record<string, string>>) {
  const folder = await scratchFolder();
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return loadHostSpec(join(folder, file), {
    tasks: registry,
    formats: () => ({ image: imageFormat(["base", "full"]), "key-file": keyFileFormat(folder) }),
    show: (path) => basename(path),
  });
}

async function complaints(file: string, files: Readonly<Record<string, string>>): Promise<string[]> {
  try {
    await load(file, files);
    return [];
  } catch (error) {
    if (!(error instanceof ProvisionError) || error.code !== "SPEC_INVALID") throw error;
    const { facts } = error as ProvisionError<"SPEC_INVALID">;
    return facts.complaints.map(({ where, what }) => `${where.file}:${where.line}:${where.column} ${what}`);
  }
}

describe("loadHostSpec", () => {
  it("fills in whatever a file leaves out", async () => {
    const { spec, recipe } = await load("web.yaml", { "web.yaml": least });

    const mac = expect.stringMatching(/^52:54:00(:[0-9a-f]{2}){3}$/) as string;
    expect(spec).toEqual(
      someHost({ networks: [someCard({ mac })], users: [someUser({ name: "admin", sudo: true })] }),
    );
    expect(recipe).toEqual([]);
  });

  it("takes what a host's file says over what all hosts share", async () => {
    const { spec, recipe, files } = await load("web.yaml", {
      "defaults.yaml": `${least}disk: {sizeGiB: 20, mode: copy}\nlabels: {site: home, role: none}\ntasks:\n  - timezone: {name: Etc/UTC}\n`,
      "web.yaml": `domain: example.org\ndisk: {sizeGiB: 40}\nlabels: {role: web}\nautostart: false\nusers:\n  - {name: alice, keys: ["${key}", {file: ~/.ssh/id.pub}, {file: /srv/a.pub}], sudo: true}\n`,
    });

    expect(spec).toMatchObject({
      fqdn: "web.example.org",
      disk: { sizeGiB: 40, mode: "copy" },
      labels: { site: "home", role: "web" },
      autostart: false,
      users: [
        {
          name: "alice",
          keys: [
            { kind: "line", line: key },
            { kind: "file", path: "~/.ssh/id.pub" },
            { kind: "file", path: "/srv/a.pub" },
          ],
          sudo: true,
        },
      ],
    });
    expect(recipe).toMatchObject([{ id: "timezone machine", where: { file: "defaults.yaml", line: 6 } }]);
    expect(files.map(({ yaml }) => yaml.file)).toEqual(["defaults.yaml", "web.yaml"]);
  });

  it.each([
    ["full", { kind: "spec", name: "full", version: undefined }],
    ["full@20260131-0a1b2c3d.2", { kind: "spec", name: "full", version: "20260131-0a1b2c3d.2" }],
    ["/srv/own.qcow2", { kind: "file", path: "/srv/own.qcow2" }],
  ])("reads the image %s", async (image, wanted) => {
    expect((await load("web.yaml", { "web.yaml": `image: ${image}\n${admin}` })).spec.image).toEqual(wanted);
  });

  it("looks for an image file from the host's own on", async () => {
    const { spec, files } = await load("web.yaml", { "web.yaml": `image: ../own.qcow2\n${admin}` });

    expect(spec.image).toEqual({ kind: "file", path: join(files[0]?.path ?? "", "../../own.qcow2") });
  });

  it("asks by DHCP for the family that has no address, unless it is told", async () => {
    const { spec } = await load("web.yaml", {
      "web.yaml": `${least}networks:
  - {network: a, addresses: [192.0.2.10/24]}
  - {bridge: br0, addresses: ["2001:db8::10/64"]}
  - {network: a, dhcp4: false, dhcp6: true, interface: lan0}
`,
    });

    expect(
      spec.networks.map(({ joins, interface: name, dhcp4, dhcp6 }) => [joins.kind, name, dhcp4, dhcp6]),
    ).toEqual([
      ["network", "net0", false, false],
      ["bridge", "net1", true, false],
      ["network", "lan0", false, true],
    ]);
  });

  it("makes hardware addresses that stay a card's own when others come before it", async () => {
    const macs = async (file: string, networks: string) =>
      (await load(file, { [file]: `${least}networks: [${networks}]\n` })).spec.networks.map(({ mac }) => mac);
    const [first, second, third] = await macs("web.yaml", "{network: a}, {network: a}, {bridge: a}");

    expect(new Set([first, second, third]).size).toBe(3);
    expect(await macs("web.yaml", "{bridge: a}, {network: b}, {network: a}")).toEqual(
      expect.arrayContaining([first, third]),
    );
    expect(await macs("mail.yaml", "{network: a}")).not.toContain(first);
  });
});

describe("a host that is wrong", () => {
  it("is told everything at once, in the file where it stands", async () => {
    const found = await complaints("web.yaml", {
      "defaults.yaml": "cpu: 2\nusers: [{name: admin, keys: [agnt]}]\ntasks: [{tool: {}}]\n",
      "web.yaml": 'image: bas\nmemoryMiB: "4096"\ngpus: ["01:00.0"]\ndisk: {mode: cpy}\n',
    });

    expect(found.toSorted()).toEqual([
      'defaults.yaml:1:1 Cannot accept cpu: must be "cpus", is "cpu"',
      'defaults.yaml:2:30 Cannot accept users[0].keys[0]: must be "agent", a mapping with `file`, or a public key on one line (ssh-ed25519 …), is "agnt"',
      'defaults.yaml:3:10 Cannot accept tasks[0].tool: must be a task (nearest: "tools"), is "tool"',
      'web.yaml:1:8 Cannot accept image: must be a spec (nearest: "base"), is "bas"',
      'web.yaml:2:12 Cannot accept memoryMiB: must be a whole number, is "4096"',
      'web.yaml:3:8 Cannot accept gpus[0]: must be a PCI address as `lspci -D` has it (0000:01:00.0), is "01:00.0"',
      'web.yaml:4:14 Cannot accept disk.mode: must be "overlay" or "copy" (nearest: "copy"), is "cpy"',
    ]);
  });

  it.each<[what: string, body: string, says: string]>([
    ["no image", admin, '1:1 Cannot accept the file: must have "image", here or in defaults.yaml, has none'],
    ["nobody", "image: base\n", 'must have "users", here or in defaults.yaml, has none'],
    ["YAML that is none", "image: [\n", "Cannot read YAML"],
    ["a list", "- image\n", "Cannot accept the file: must be a mapping, is a list"],
    [
      "a file without a slash",
      `image: x.qcow2\n${admin}`,
      'must have a slash when it is a file ("./x.qcow2")',
    ],
    ["a version that is none", `image: base@1\n${admin}`, 'must have a version behind "@"'],
    ["a domain in capitals", `${least}domain: Lan\n`, "domain: must be a name for DNS, in lower case"],
    [
      "both a network and a bridge",
      `${least}networks: [{network: a, bridge: b}]\n`,
      'networks[0]: must have only one of "network" or "bridge", has "network" and "bridge"',
    ],
    ["neither of them", `${least}networks: [{}]\n`, 'must have "network" or "bridge", has nothing'],
    [
      "the hardware address of a group",
      `${least}networks: [{network: a, mac: "53:54:00:00:00:01"}]\n`,
      "must be a hardware address of one card",
    ],
    [
      "one hardware address twice",
      `${least}networks: [{network: a, mac: "52:54:00:00:00:01"}, {network: a, mac: "52:54:00:00:00:01"}]\n`,
      'networks[1].mac: must be given once, is "52:54:00:00:00:01" again',
    ],
    [
      "one interface twice",
      `${least}networks: [{network: a}, {network: a, interface: net0}]\n`,
      'networks[1].interface: must be given once, is "net0" again',
    ],
    [
      "the loopback interface",
      `${least}networks: [{network: a, interface: lo}]\n`,
      "networks[0].interface: must match",
    ],
    [
      "two disks of one name",
      `${least}extraDisks: [{name: a, sizeGiB: 1}, {name: a, sizeGiB: 1}]\n`,
      'extraDisks[1].name: must be given once, is "a" again',
    ],
    [
      "two users of one name",
      "image: base\nusers: [{name: a, keys: [agent], sudo: true}, {name: a, keys: [agent]}]\n",
      'users[1].name: must be given once, is "a" again',
    ],
    [
      "root as a user",
      "image: base\nusers: [{name: root, keys: [agent], sudo: true}]\n",
      'users[0].name: must be a person, who becomes root by sudo, is "root"',
    ],
    [
      "a key that was cut off",
      `image: base\nusers: [{name: a, keys: [agent, "${key.slice(0, 60)}"], sudo: true}]\n`,
      "users[0].keys[1]: must be a whole public key, is damaged",
    ],
    [
      "a key file that is not there",
      "image: base\nusers: [{name: a, keys: [{file: a.pub}], sudo: true}]\n",
      "is missing: a.pub",
    ],
    [
      "a user without keys",
      "image: base\nusers: [{name: a, keys: [], sudo: true}]\n",
      "users[0].keys: must not be empty",
    ],
    [
      "nobody who may set it up",
      "image: base\nusers: [{name: a, keys: [agent]}]\n",
      "users: must hold one with `sudo: true`, as who the host is set up, holds none",
    ],
    ["a label that cannot be asked for", `${least}labels: {"a b": x}\n`, 'labels["a b"]: must be letters'],
    [
      "two uses of one subject",
      `image: base\nusers: [{name: a, keys: [agent], sudo: true}]\ntasks:\n  - timezone: {name: Etc/UTC}\n  - timezone: {name: Etc/GMT}\n`,
      "5:5 Cannot use timezone machine twice",
    ],
  ])("with %s is refused", async (_what, body, says) => {
    expect(await complaints("web.yaml", { "web.yaml": body })).toEqual([expect.stringContaining(says)]);
  });

  it.each([
    ["192.0.2.7", "must have the size of its network behind it (192.0.2.7/24)"],
    ["2001:db8::7", "must have the size of its network behind it (2001:db8::7/64)"],
    ["192.0.2.7/33", "must be an address with the size of its network"],
    ["192.0.02.7/24", "must be an address with the size of its network"],
    ["192.0.2.0/24", "must be a machine's address, not that of the network itself"],
    ["192.0.2.255/24", "must be a machine's address, not that of the network itself"],
    ["127.0.0.1/8", "must be an address that one machine can have"],
    ["ff02::1/64", "must be an address that one machine can have"],
  ])("with the address %s is refused", async (address, says) => {
    const body = `${least}networks: [{network: a, addresses: ["${address}"]}]\n`;

    expect(await complaints("web.yaml", { "web.yaml": body })).toEqual([
      `web.yaml:3:37 Cannot accept networks[0].addresses[0]: ${says}${says.endsWith("network") ? " (192.0.2.10/24)" : ""}, is "${address}"`,
    ]);
  });

  it.each([
    ["x", "must be an address without a size (192.0.2.1)"],
    ["192.0.2.1/24", "must be an address without a size (192.0.2.1)"],
    ["192.0.3.1", "must be inside the network of an address beside it"],
    ["192.0.2.10", "must be another machine's address"],
    ["2001:db8::1", "must stand beside an address of IPv6 under `addresses`"],
  ])("with the gateway %s is refused", async (gateway, says) => {
    const body = `${least}networks: [{network: a, addresses: [192.0.2.10/24], gateways: ["${gateway}"]}]\n`;

    expect(await complaints("web.yaml", { "web.yaml": body })).toEqual([
      `web.yaml:3:64 Cannot accept networks[0].gateways[0]: ${says}, is "${gateway}"`,
    ]);
  });

  it("may have one way out for each family, over all its cards", async () => {
    const cards = (second: string) => ({
      "web.yaml": `${least}networks:
  - {network: a, addresses: [192.0.2.10/24], gateways: [192.0.2.1]}
  - {network: b, addresses: [198.51.100.10/24, "2001:db8::10/64"], gateways: [${second}]}
`,
    });

    expect(await complaints("web.yaml", cards('"fe80::1"'))).toEqual([]);
    expect(await complaints("web.yaml", cards("198.51.100.1"))).toEqual([
      "web.yaml:5:79 Cannot accept networks[1].gateways[0]: must be the one way out for IPv4, is the second after networks[0]",
    ]);
    expect(await complaints("web.yaml", cards('"2001:db8::1", "2001:db8::2"'))).toEqual([
      expect.stringContaining('gateways[1]: must be the only one for IPv6, is "2001:db8::2"'),
    ]);
  });

  it.each(["Web", "web_1", "-web", "web-", "127", "a.b", "a".repeat(64)])(
    "with the name %s is refused",
    async (name) => {
      expect(await complaints(`${name}.yaml`, { [`${name}.yaml`]: least })).toEqual([
        `${name}.yaml:1:1 Cannot name a host after its file: must be a name for DNS (lower-case letters, digits and hyphens inside, at most 63), is "${name}"`,
      ]);
    },
  );
});

describe("hostClashes", () => {
  const card = (keys: string) => `${least}networks: [{network: a, ${keys}}]\n`;

  it("names both places of what two hosts have in common, however it is written", async () => {
    const mac = 'mac: "52:54:00:00:00:01"';
    const mail = await load("mail.yaml", {
      "mail.yaml": card(`${mac}, addresses: [192.0.2.9/24, "2001:db8::1/64"]`),
    });
    const web = await load("web.yaml", {
      "web.yaml": card(`addresses: ["2001:DB8:0::1/48", 192.0.2.9/25], ${mac}`),
    });

    const found = hostClashes([mail, web]).map(
      ({ where, what }) => `${where.file}:${where.line}:${where.column} ${what}`,
    );

    expect(found.toSorted()).toEqual([
      'web.yaml:3:37 Cannot give web address "2001:DB8:0::1/48": must be one card\'s alone, is that of mail at mail.yaml:3:77 too',
      'web.yaml:3:57 Cannot give web address "192.0.2.9/25": must be one card\'s alone, is that of mail at mail.yaml:3:63 too',
      'web.yaml:3:77 Cannot give web hardware address "52:54:00:00:00:01": must be one card\'s alone, is that of mail at mail.yaml:3:30 too',
    ]);
  });

  it("tells of nothing that only others have in common", async () => {
    const same = card("addresses: [192.0.2.9/24]");
    const others = [await load("a.yaml", { "a.yaml": same }), await load("b.yaml", { "b.yaml": same })];
    const own = await load("c.yaml", { "c.yaml": card("addresses: [192.0.2.10/24]") });

    expect(hostClashes([own], others)).toEqual([]);
    expect(hostClashes(others)).toHaveLength(1);
  });
});

describe("findHost", () => {
  it("finds a host by name or file, never the defaults", async () => {
    const folder = await scratchFolder();
    await mkdir(join(folder, "hosts"));
    const hosts = join(folder, "hosts");
    for (const file of ["defaults.yaml", "web.yaml", "notes.txt"]) await writeFile(join(hosts, file), "");

    expect(await hostNames(hosts)).toEqual(["web"]);
    expect(await findHost("web", hosts)).toBe(join(hosts, "web.yaml"));
    expect(await findHost(join(hosts, "web.yaml"), "/nowhere")).toBe(join(hosts, "web.yaml"));
    await expect(findHost("wbe", hosts)).rejects.toMatchObject({ code: "USAGE", mend: 'Name "web"' });
    await expect(findHost("defaults", hosts)).rejects.toThrow("is what all hosts share");
    expect(await hostNames(join(folder, "none"))).toEqual([]);
  });
});
