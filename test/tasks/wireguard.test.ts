import { describe, expect, it } from "vitest";

import { wireguard } from "../../src/tasks/wireguard/index.ts";
import { emptyMachine, type FakeHost } from "../support/fake-host.ts";
import { accepts, keyOf, planned, refusal, settle, sourcesOf } from "../support/tasks.ts";

const [one, two] = [keyOf("one"), keyOf("two")] as const;
const peer = { publicKey: one, allowedIps: ["10.0.0.2/32"] };
const base = { interface: "wg0", address: ["10.0.0.1/24"], listenPort: 51820, peers: [peer] };
const shared = { file: "psk" };
const sharedFile = (key: string) =>
  `/etc/wireguard/wg0.psk-${key.replaceAll("/", "_").replaceAll("+", "-").replace("=", "")}`;

async function settled(params: Parameters<typeof wireguard.subject>[0] = base): Promise<FakeHost> {
  const host = emptyMachine();
  await settle(wireguard, params, host);
  host.journal.length = 0;
  return host;
}

/** What was run of the interface itself. */
function runs({ journal }: FakeHost): readonly string[] {
  return journal.filter((line) => line.startsWith("run provision-wireguard"));
}

/** All that was done but making directories; a guard is told by its name. */
function deeds({ journal }: FakeHost): readonly string[] {
  const lines = journal.map((line) => line.replace(/^(run provision-guard arm \S+) .*/, "$1"));
  return lines.filter((line) => !line.startsWith("directory"));
}

describe("wireguard", () => {
  it("makes a key, writes the rest, enables the unit and starts it, in this order", async () => {
    const host = emptyMachine();

    await settle(wireguard, base, host);

    expect(deeds(host)).toEqual([
      "run provision-guard arm wireguard-wg0",
      "run provision-wireguard-key wg0",
      "write /etc/wireguard/wg0.conf",
      "write /etc/systemd/system/wg-quick@wg0.service.d/provision.conf",
      "run systemctl daemon-reload",
      "run systemctl enable wg-quick@wg0.service",
      "run provision-wireguard start wg0",
      "write /var/lib/provision/stamps/wireguard-wg0",
      "run provision-guard confirm wireguard-wg0",
    ]);
    for (const file of ["wg0.key", "wg0.conf"]) {
      expect(host.files.stat(`/etc/wireguard/${file}`)).toMatchObject({ mode: "0600", owner: "root" });
    }
    expect(host.files.stat("/etc/wireguard")).toMatchObject({ mode: "0700" });
  });

  it("writes a configuration that names the files of keys and holds none", async () => {
    const host = await settled({
      ...base,
      privateKey: { env: "KEY" },
      peers: [{ ...peer, presharedKey: shared, endpoint: "[fd00::9]:51820", keepalive: 25 }],
    });

    expect(host.files.read("/etc/wireguard/wg0.conf")).toBe(
      `# By provision; what is changed here by hand is lost.
[Interface]
Address = 10.0.0.1/24
ListenPort = 51820
PostUp = wg set wg0 private-key /etc/wireguard/wg0.key
PostUp = wg set wg0 peer ${one} preshared-key ${sharedFile(one)}

[Peer]
PublicKey = ${one}
Endpoint = [fd00::9]:51820
AllowedIPs = 10.0.0.2/32
PersistentKeepalive = 25
`,
    );
    expect(host.files.read("/etc/wireguard/wg0.key")).toBe(`${keyOf('{"env":"KEY"}')}\n`);
    expect(host.files.read(sharedFile(one))).toBe(`${keyOf('{"file":"psk"}')}\n`);
    expect(host.files.stat(sharedFile(one))).toMatchObject({ mode: "0600" });
  });

  it.each([
    ["a peer more", { peers: [peer, { publicKey: two, allowedIps: ["10.0.0.3/32"] }] }, "sync"],
    ["a peer less", { peers: [] }, "sync"],
    ["other addresses of a peer", { peers: [{ ...peer, allowedIps: ["10.9.0.0/16"] }] }, "sync"],
    ["a key shared with a peer", { peers: [{ ...peer, presharedKey: shared }] }, "sync"],
    ["another key of its own", { privateKey: { env: "KEY" } }, "sync"],
    ["another port", { listenPort: 51821 }, "sync"],
    ["another address", { address: ["10.0.0.9/24"] }, "restart"],
    ["a route of everything", { peers: [{ ...peer, allowedIps: ["0.0.0.0/0"] }] }, "restart"],
  ])("with %s needs no more than it has to: %o %s", async (_, other, verb) => {
    const host = await settled();

    await settle(wireguard, { ...base, ...other }, host);

    expect(runs(host)).toEqual([`run provision-wireguard ${verb} wg0`]);
  });

  it("restarts for each change where everything is routed into it", async () => {
    const everything = { ...peer, allowedIps: ["0.0.0.0/0", "::/0"] };
    const host = await settled({ ...base, peers: [everything] });

    await settle(wireguard, { ...base, peers: [{ ...everything, keepalive: 25 }] }, host);

    expect(runs(host)).toEqual(["run provision-wireguard restart wg0"]);
  });

  it("is loaded anew when somebody took a peer from what runs, or gave it another key", async () => {
    for (const live of ["running public-of-made-here", `running other\npeer ${one}`]) {
      const host = await settled();
      host.files.write("/run/wireguard/wg0", live);

      await settle(wireguard, base, host);

      expect(runs(host)).toEqual(["run provision-wireguard sync wg0"]);
    }
  });

  it("is started when it is down, and shows its public key with the change", async () => {
    const host = await settled();
    host.units.systemctl("stop", "wg-quick@wg0.service");

    expect(await planned(wireguard, base, host)).toEqual([
      ["wg0, public key public-of-made-here", "inactive", "active"],
    ]);
  });

  it("keeps the key that it made, also when a secret is no longer given", async () => {
    const host = await settled({ ...base, privateKey: { env: "KEY" } });
    const before = host.files.read("/etc/wireguard/wg0.key");

    await settle(wireguard, base, host);

    expect(host.files.read("/etc/wireguard/wg0.key")).toBe(before);
  });

  it("takes over the key of a configuration that somebody else wrote, and shows it to nobody", async () => {
    const host = emptyMachine();
    host.files.directory("/etc/wireguard");
    host.files.write("/etc/wireguard/wg0.conf", "[Interface]\nPrivateKey = theirs\nListenPort = 1\n");

    const plan = await planned(wireguard, base, host);
    await settle(wireguard, base, host);

    expect(JSON.stringify(plan)).not.toContain("theirs");
    expect(plan[1]?.[1]).toBe("[Interface]\nPrivateKey = ***\nListenPort = 1\n");
    expect(host.files.read("/etc/wireguard/wg0.key")).toBe("theirs\n");
  });

  it("closes a key that others may read", async () => {
    const host = await settled();
    host.files.attributes("/etc/wireguard/wg0.key", { mode: "0644" });

    await settle(wireguard, base, host);

    expect(host.journal).toEqual(["attributes /etc/wireguard/wg0.key"]);
  });

  it("never reads a key back", async () => {
    const params = { ...base, privateKey: { env: "KEY" }, peers: [{ ...peer, presharedKey: shared }] };
    const host = await settled(params);
    for (const path of ["/etc/wireguard/wg0.key", sharedFile(one)]) host.unknown.set(`file:${path}`, "no");

    expect(await settle(wireguard, params, host)).toMatchObject({ changed: 0, flights: 1 });
  });

  it("removes a shared key that no peer has any more, after the rest", async () => {
    const host = await settled({ ...base, peers: [{ ...peer, presharedKey: shared }] });

    await settle(wireguard, base, host);

    expect(deeds(host).slice(-2)).toEqual([
      `remove ${sharedFile(one)}`,
      "run provision-guard confirm wireguard-wg0",
    ]);
    expect(host.files.stat(sharedFile(one))).toBeUndefined();
  });

  it("goes with its keys, and with nothing that is not its own", async () => {
    const host = await settled({ ...base, peers: [{ ...peer, presharedKey: shared }] });
    host.files.write("/etc/systemd/system/wg-quick@wg0.service.d/own.conf", "[Unit]\n");
    host.files.write("/etc/wireguard/wg1.key", "other\n");

    await settle(wireguard, { interface: "wg0", state: "absent" }, host);

    expect(host.units.state("wg-quick@wg0.service")).toMatchObject({
      active: "inactive",
      enabled: "disabled",
    });
    expect(host.files.paths().filter((path) => /wg0|wireguard\//.test(path))).toEqual([
      "/etc/systemd/system/wg-quick@wg0.service.d",
      "/etc/systemd/system/wg-quick@wg0.service.d/own.conf",
      "/etc/wireguard/wg1.key",
      "/run/wireguard/wg0",
    ]);
    expect(await settle(wireguard, { interface: "wg0", state: "absent" }, host)).toMatchObject({
      changed: 0,
    });
  });

  it("takes a change back that leaves the host without an answer: keys, peers and what runs", async () => {
    const host = await settled({ ...base, privateKey: { env: "KEY" } });
    const before = host.files.paths().map((path) => [path, host.files.read(path)]);
    host.away = () => void host.guards.expire("wireguard-wg0");

    const other = { ...base, privateKey: { env: "OTHER" }, peers: [{ ...peer, presharedKey: shared }] };
    const settling = settle(wireguard, other, host);

    await expect(settling).rejects.toMatchObject({
      code: "CHANGE_REVERTED",
      where: { file: "test.yaml" },
      message: expect.stringContaining("Cannot settle wireguard wg0"),
    });
    const after = host.files.paths().map((path) => [path, host.files.read(path)]);
    const unlike = after.filter(
      ([path, text]) => !before.some(([same, old]) => same === path && old === text),
    );
    expect(unlike.map(([path]) => path)).toEqual(["/run/wireguard/wg0"]);
    expect(host.guards.restored).toEqual([
      expect.stringContaining(`
systemctl daemon-reload || exit
systemctl enable wg-quick@wg0.service || exit
systemctl reset-failed wg-quick@wg0.service 2>/dev/null
systemctl restart wg-quick@wg0.service
`),
    ]);
  });

  it("takes an interface down again that was new, and keeps the key that it made for it", async () => {
    const host = emptyMachine();
    host.away = () => void host.guards.expire("wireguard-wg0");

    await expect(settle(wireguard, base, host)).rejects.toMatchObject({ code: "CHANGE_REVERTED" });

    expect(host.files.paths().filter((path) => /wg0|wireguard-/.test(path))).toEqual([
      "/etc/systemd/system/wg-quick@wg0.service.d",
      "/etc/wireguard/wg0.key",
      "/run/wireguard/wg0",
    ]);
    expect(host.guards.restored[0]).toContain("systemctl stop wg-quick@wg0.service");
    expect(host.guards.restored[0]).toContain("systemctl disable wg-quick@wg0.service");
  });

  it("guards taking an interface down that is up, and not what nobody is connected through", async () => {
    const host = await settled();
    await settle(wireguard, { interface: "wg0", state: "absent" }, host);
    expect(deeds(host).at(-1)).toBe("run provision-guard confirm wireguard-wg0");

    host.journal.length = 0;
    host.files.write("/etc/wireguard/wg0.conf", "[Interface]\n");
    await settle(wireguard, { interface: "wg0", state: "absent" }, host);

    expect(host.journal).toEqual(["remove /etc/wireguard/wg0.conf"]);
  });

  it("refuses a secret that is no key, without telling it", async () => {
    const sources = { ...sourcesOf(), secret: async () => "hunter2hunter2\n" };

    const settling = settle(wireguard, { ...base, privateKey: { env: "KEY" } }, emptyMachine(), { sources });

    await expect(settling).rejects.toMatchObject(
      refusal(/the secret for "\/etc\/wireguard\/wg0\.key" must be a key as `wg genkey` prints it/),
    );
    await expect(settling).rejects.not.toThrow("hunter2");
  });

  it.each([
    [{ interface: "wg0" }, false],
    [{ interface: "wg0", state: "absent" }, true],
    [{ ...base, interface: "a-name-that-is-too-long" }, false],
    [{ ...base, interface: "../x" }, false],
    [{ ...base, address: ["10.0.0.1"] }, false],
    [{ ...base, address: ["10.0.0.1/33"] }, false],
    [{ ...base, address: ["fd00::1/64"] }, true],
    [{ ...base, address: ["fd00::1/129"] }, false],
    [{ ...base, peers: [{ ...peer, publicKey: "short" }] }, false],
    [{ ...base, peers: [{ ...peer, publicKey: `${one}\nPostUp = x` }] }, false],
    [{ ...base, peers: [{ ...peer, endpoint: "vpn.example.org" }] }, false],
    [{ ...base, peers: [{ ...peer, endpoint: "vpn.example.org:51820" }] }, true],
    [{ ...base, peers: [{ ...peer, presharedKey: "in the clear" }] }, false],
    [{ ...base, privateKey: { file: "a", env: "B" } }, false],
  ])("takes %j: %s", (params, isTaken) => {
    expect(accepts(wireguard, params)).toBe(isTaken);
  });
});
