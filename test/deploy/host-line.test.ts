import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import ssh2 from "ssh2";
import { describe, expect, it } from "vitest";

import { checkLogin, hostLine } from "../../src/provisioner/deploy/host-line.ts";
import type { HostSpec } from "../../src/provisioner/spec/host-spec.ts";
import { alice, farLine, ownKey } from "../support/fake-deployment.ts";
import { scratchFolder } from "../support/scratch-folder.ts";
import { someCard, someHost } from "../support/some-host.ts";

/** Who deploys from a home with this ssh_config. */
async function controllerWith(config = "", env: Readonly<Record<string, string>> = {}) {
  const home = await scratchFolder();
  await mkdir(join(home, ".ssh"));
  await writeFile(join(home, ".ssh/config"), config);
  return { home, user: "me", env, globalKnownHosts: [] };
}

async function targetOf(spec: Partial<HostSpec>, config = "", identity?: string) {
  const controller = await controllerWith(config);
  const line = await hostLine(someHost({ users: [alice], ...spec }), controller, identity);
  const target = line.targetAt("192.0.2.10", "ssh-ed25519 AAAA");
  return { line, target, home: controller.home, jumps: target.jumps.map(inShort) };
}

const inShort = ({ user, host, port }: { user: string; host: string; port: number }) =>
  `${user}@${host} ${port}`;
const far = { hypervisor: "qemu+ssh://hyper/system" };

describe("hostLine", () => {
  it("logs in as the first who may do everything, to a host that is known by its name and key", async () => {
    const bob = { ...alice, name: "bob", sudo: false };
    const networks = [someCard({ addresses: ["192.0.2.10/24", "2001:db8::10/64"] }), someCard()];

    const { line, target } = await targetOf({ users: [bob, alice], networks });

    expect(line).toMatchObject({ user: "alice", addresses: ["192.0.2.10", "2001:db8::10"] });
    expect(target).toMatchObject({
      user: "alice",
      host: "192.0.2.10",
      port: 22,
      knownAs: "web",
      hostKey: "ssh-ed25519 AAAA",
      jumps: [],
    });
  });

  it("offers the keys of the host's file first, then those of ssh_config", async () => {
    const folder = await scratchFolder();
    await writeFile(join(folder, "mine"), ownKey.private);
    const keys = ["mine.pub", "held.pub", "~/.ssh/home.pub"].map((name) => ({
      kind: "file" as const,
      path: name.startsWith("~") ? name : join(folder, name),
    }));

    const { target, home } = await targetOf(
      { users: [{ ...alice, keys: [...keys, ...keys] }] },
      "Host web\n  IdentityFile ~/.ssh/web\n  Port 2222\n  HostName elsewhere\n",
    );

    // Of the second and the third there is the public half alone: the agent may hold the other.
    expect(target.identityFiles).toEqual([
      join(folder, "mine"),
      join(folder, "held.pub"),
      join(home, ".ssh/home.pub"),
      join(home, ".ssh/web"),
    ]);
    expect(target).toMatchObject({ host: "192.0.2.10", port: 22, identitiesOnly: false });
  });

  it("uses the one key that is asked for, and no other", async () => {
    const { target } = await targetOf({}, "Host web\n  IdentityFile ~/.ssh/web\n", "/keys/one");

    expect(target).toMatchObject({ identityFiles: ["/keys/one"], identitiesOnly: true });
  });

  it("asks the agent, unless ssh_config says not to", async () => {
    const agent = async (config: string) => {
      const controller = await controllerWith(config, { SSH_AUTH_SOCK: "/run/agent" });
      return (await hostLine(someHost({ users: [alice] }), controller)).targetAt("192.0.2.10", "");
    };

    expect(await agent("")).toMatchObject({ agent: "/run/agent", identitiesOnly: false });
    expect(await agent("Host *\n  IdentityAgent none\n")).toMatchObject({ agent: undefined });
    expect(await agent("Host *\n  IdentitiesOnly yes\n")).toMatchObject({ identitiesOnly: true });
  });

  it.each<[hypervisor: string, jump: string]>([
    ["qemu+ssh://hyper/system", "me@hyper 22"],
    ["qemu+ssh://root@hyper:2222/system", "root@hyper 2222"],
    ["qemu+libssh2://ro%40ot@hyper/system", "ro@ot@hyper 22"],
    ["qemu+ssh://root@[2001:db8::1]/system", "root@2001:db8::1 22"],
    ["qemu+ssh://root@[2001:db8::1]:2222/session", "root@2001:db8::1 2222"],
  ])("goes through the hypervisor %s", async (hypervisor, jump) => {
    expect((await targetOf({ hypervisor })).jumps).toEqual([jump]);
  });

  it("takes the URI's key file and known hosts for the hypervisor", async () => {
    const hypervisor = "qemu+ssh://root@hyper/system?keyfile=/keys/hyper&known_hosts=/keys/known";

    const { target, home } = await targetOf({ hypervisor });

    expect(target.jumps[0]?.identityFiles.slice(0, 2)).toEqual([
      "/keys/hyper",
      join(home, ".ssh/id_ed25519"),
    ]);
    expect(target.jumps[0]?.knownHosts).toEqual(["/keys/known"]);
    expect(target.identityFiles).not.toContain("/keys/hyper");
  });

  it("reaches the hypervisor as ssh_config says, by way of others too", async () => {
    const config = "Host hyper\n  HostName hyper.lan\n  User admin\n  Port 2022\n  ProxyJump door@gate\n";

    expect((await targetOf(far, config)).jumps).toEqual(["door@gate 22", "admin@hyper.lan 2022"]);
  });

  it("prefers the way that ssh_config has to the host itself", async () => {
    expect((await targetOf(far, "Host web\n  ProxyJump door@gate\n")).jumps).toEqual(["door@gate 22"]);
  });

  it.each<[what: string, spec: Partial<HostSpec>]>([
    ["no hypervisor of its own", {}],
    ["one on this machine", { hypervisor: "qemu:///system" }],
    ["one that libvirt reaches by another way", { hypervisor: "qemu+tls://hyper/system" }],
    ["one on this machine, by ssh", { hypervisor: "qemu+ssh:///system" }],
    [
      "a card on a bridge to the outside",
      { ...far, networks: [someCard(), someCard({ joins: { kind: "bridge", name: "br0" } })] },
    ],
  ])("goes straight to a host with %s", async (_what, spec) => {
    expect((await targetOf(spec)).jumps).toEqual([]);
  });
});

describe("checkLogin", () => {
  it("is content when one of the host's keys is at hand", async () => {
    const keys = ["ssh-ed25519 AAAAother bob@desk", `${ownKey.public} alice@desk`];

    await expect(checkLogin(farLine, { name: "web" }, keys)).resolves.toBeUndefined();
  });

  it("is content with a file of the host's keys", async () => {
    const folder = await scratchFolder();
    await writeFile(join(folder, "mine"), ownKey.private);
    const keys = [{ kind: "file" as const, path: join(folder, "mine.pub") }];
    const line = await hostLine(someHost({ users: [{ ...alice, keys }] }), await controllerWith());

    await expect(checkLogin(line, { name: "web" }, [ownKey.public])).resolves.toBeUndefined();
  });

  it.each<[what: string, keys: readonly string[]]>([
    ["none", []],
    ["another's key", [ssh2.utils.generateKeyPairSync("ed25519").public]],
  ])("says how to have a key where the host knows %s", async (_what, keys) => {
    await expect(checkLogin(farLine, { name: "web" }, keys)).rejects.toMatchObject({
      code: "USAGE",
      message: expect.stringContaining('Cannot set up web as "alice"') as string,
      mend: expect.stringMatching(/ssh-add.*--identity.*keys/) as string,
    });
  });
});
