import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import {
  parseTarget,
  readTarget,
  targetName,
  type SshTarget,
} from "../../src/provisioner/host/ssh-target.ts";
import type { Controller } from "../../src/provisioner/host/ssh-tokens.ts";

describe("parseTarget", () => {
  it.each([
    ["db1", { host: "db1" }],
    ["root@db1", { user: "root", host: "db1" }],
    ["root@db1:2222", { user: "root", host: "db1", port: 2222 }],
    ["db1:22", { host: "db1", port: 22 }],
    ["root@10.0.0.1", { user: "root", host: "10.0.0.1" }],
    ["root@[fe80::1%eth0]:2222", { user: "root", host: "fe80::1%eth0", port: 2222 }],
    ["[::1]", { host: "::1" }],
    ["root@2001:db8::1", { user: "root", host: "2001:db8::1" }],
    ["first.last@realm@db1", { user: "first.last@realm", host: "db1" }],
  ])("reads %s", (text, wanted) => {
    expect(parseTarget(text)).toEqual(wanted);
  });

  it.each([
    "",
    "root@",
    "@db1",
    "db1:0",
    "db1:65536",
    "db1:ssh",
    "-oProxyCommand=x",
    "a b",
    "[::1",
    "db'1",
    "$(id)",
  ])("refuses %j", (text) => {
    expect(() => parseTarget(text)).toThrow(expect.objectContaining({ code: "SSH_TARGET_MALFORMED" }));
  });
});

describe("readTarget", () => {
  let home: string;
  let controller: Controller;

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), "provision-home-"));
    await mkdir(join(home, ".ssh"));
    controller = { home, user: "me", env: { SSH_AUTH_SOCK: "/run/agent" } };
  });

  afterEach(() => rm(home, { recursive: true, force: true }));

  async function read(text: string, config?: string): Promise<SshTarget> {
    if (config !== undefined) await writeFile(join(home, ".ssh/config"), config);
    return readTarget(text, controller);
  }

  it("takes ssh's defaults when there is no config", async () => {
    const target = await read("db1");

    expect(target).toEqual({
      host: "db1",
      port: 22,
      user: "me",
      knownAs: "db1",
      knownHosts: [`${home}/.ssh/known_hosts`, `${home}/.ssh/known_hosts2`, "/etc/ssh/ssh_known_hosts"],
      identityFiles: [`${home}/.ssh/id_ed25519`, `${home}/.ssh/id_ecdsa`, `${home}/.ssh/id_rsa`],
      identitiesOnly: false,
      agent: "/run/agent",
      jumps: [],
    });
  });

  it.each<{ config: string; text?: string; wanted: Partial<SshTarget> }>([
    {
      config: "Host db1\n HostName 10.0.0.1\n Port 2222\n User admin",
      wanted: { host: "10.0.0.1", port: 2222, user: "admin", knownAs: "[10.0.0.1]:2222" },
    },
    { config: "host db1\n hostname 10.0.0.1\n PORT=2222", wanted: { host: "10.0.0.1", port: 2222 } },
    {
      config: "Host db*\n HostName %h.example.org",
      wanted: { host: "db1.example.org", knownAs: "db1.example.org" },
    },
    { config: "Host * !db1\n Port 2222", wanted: { port: 22 } },
    { config: "Host db1\n Port 2222\nHost *\n Port 2200\n User late", wanted: { port: 2222, user: "late" } },
    { config: "Host db1\n User admin\n Port 2222", text: "root@db1:22", wanted: { user: "root", port: 22 } },
    { config: "Host db1\n HostKeyAlias the-db\n Port 2222", wanted: { knownAs: "the-db" } },
    {
      config: "Host db1\n IdentitiesOnly yes",
      wanted: { identitiesOnly: true },
    },
    { config: "Host db1\n IdentityAgent ~/agent.sock", wanted: { agent: "HOME/agent.sock" } },
    { config: "Host db1\n IdentityAgent SSH_AUTH_SOCK", wanted: { agent: "/run/agent" } },
    {
      config: "Host db1\n IdentityFile ~/a\n IdentityFile %d/keys/%r@%h\nHost *\n IdentityFile /c",
      wanted: { identityFiles: ["HOME/a", "HOME/keys/me@db1", "/c"] },
    },
    { config: 'Host db1\n IdentityFile "~/my keys/a"', wanted: { identityFiles: ["HOME/my keys/a"] } },
    {
      config: "Host db1\n UserKnownHostsFile ~/k1 /k2\n GlobalKnownHostsFile none",
      wanted: { knownHosts: ["HOME/k1", "/k2"] },
    },
    { config: "Match user admin\n Port 2222", text: "admin@db1", wanted: { port: 2222 } },
  ])("reads $config", async ({ config, text = "db1", wanted }) => {
    const target = await read(text, config);

    expect(target).toMatchObject(JSON.parse(JSON.stringify(wanted).replaceAll("HOME", home)) as object);
  });

  it("leaves the agent alone when IdentityAgent is none", async () => {
    expect((await read("db1", "Host db1\n IdentityAgent none")).agent).toBeUndefined();
  });

  it("fills in Includes, by wildcard and inside a Host block", async () => {
    await mkdir(join(home, ".ssh/conf.d"));
    await writeFile(join(home, ".ssh/conf.d/b.conf"), "Host db1\n Port 2222\n");
    await writeFile(join(home, ".ssh/conf.d/a.conf"), "Host db1\n Port 2201\n");
    await writeFile(join(home, ".ssh/conf.d/ignored"), "Host db1\n Port 1\n");

    const target = await read("db1", "Include conf.d/*.conf\nHost *\n User late\n");

    expect(target).toMatchObject({ port: 2201, user: "late" });
  });

  it("refuses Includes that go round", async () => {
    await expect(read("db1", "Include config\n")).rejects.toMatchObject({ code: "SSH_CONFIG_REFUSED" });
  });

  it("gives the jump hosts in order, each with its own settings", async () => {
    const config =
      "Host db1\n ProxyJump edge,ops@inner:2200\nHost edge\n HostName 192.0.2.1\n User door\nHost *\n Port 22";

    const target = await read("db1", config);

    expect(target.jumps.map(targetName)).toEqual(["door@192.0.2.1:22", "ops@inner:2200"]);
  });

  it("goes through the nearest jump host's own jump host", async () => {
    const target = await read("db1", "Host db1\n ProxyJump inner\nHost inner\n ProxyJump edge");

    expect(target.jumps.map(targetName)).toEqual(["me@edge:22", "me@inner:22"]);
  });

  it("does not send the jump host through itself", async () => {
    const target = await read("db1", "Host *\n ProxyJump edge");

    expect(target.jumps.map(targetName)).toEqual(["me@edge:22"]);
  });

  it.each([
    ["Host db1\n ProxyJump a\nHost a\n ProxyJump b\nHost b\n ProxyJump a", "ring"],
    ["Host db1\n ProxyCommand nc %h %p", "ProxyCommand"],
  ])("refuses %j", async (config, word) => {
    await expect(read("db1", config)).rejects.toMatchObject({
      code: "SSH_CONFIG_REFUSED",
      message: expect.stringContaining(word) as string,
    });
  });

  it("writes IPv6 addresses in brackets for people and known_hosts", async () => {
    const target = await read("root@[2001:db8::1]:2222");

    expect(targetName(target)).toBe("root@[2001:db8::1]:2222");
    expect(target.knownAs).toBe("[2001:db8::1]:2222");
  });
});
