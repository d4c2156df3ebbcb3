import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import process from "node:process";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { converge } from "../../src/provisioner/core/converge.ts";
import { connectSsh } from "../../src/provisioner/host/ssh-connect.ts";
import { openSshHost } from "../../src/provisioner/host/ssh-host.ts";
import { ownTarget } from "../../src/provisioner/host/ssh-target.ts";
import { baseSettings } from "../../src/provisioner/image/base-settings.ts";
import { network as task } from "../../src/tasks/network/index.ts";
import { eventsOf, type LaunchedRun } from "../support/launcher.ts";
import { lanMac, netplanFile, type NetplanHost, startNetplanHost } from "../support/netplan-host.ts";
import { recordedRun } from "../support/recorded-run.ts";
import { whyNoSystemdHost } from "../support/systemd-host.ts";
import { sourcesOf } from "../support/tasks.ts";

const why = whyNoSystemdHost();
const { cacheDir } = baseSettings({ env: process.env, home: homedir(), isRoot: true });

describe.skipIf(why !== undefined)(
  `a network by netplan and systemd-networkd${why ? ` (skipped: ${why})` : ""}`,
  { shuffle: false },
  () => {
    let opened: NetplanHost;
    let host: NetplanHost["host"];
    let network: NetplanHost["network"];
    const cards: NetplanHost["cards"] = (given) => opened.cards(given);
    const apply = (params: object) => opened.apply(params);
    const addresses = (name: string) => opened.addresses(name);

    const outcome = (done: LaunchedRun) => [done.exitCode, eventsOf(done, "error")];
    const mustBeAsWanted = async (params: object) => {
      const again = await apply(params);
      expect(outcome(again)).toEqual([0, []]);
      expect(eventsOf(again, "result")[0]?.data).toMatchObject({ changed: 0, flights: 1 });
    };

    beforeAll(async () => {
      opened = await startNetplanHost(cacheDir);
      ({ host, network } = opened);
    });

    afterAll(() => opened[Symbol.asyncDispose]());

    it("has nothing to do where cloud-init wrote the very same", async () => {
      const written = await host.sh(`cat ${netplanFile}; stat -c %a ${netplanFile}`);

      await mustBeAsWanted(cards());

      expect(written).toMatch(/600$/);
      expect(await host.sh(`cat ${netplanFile}; stat -c %a ${netplanFile}`)).toBe(written);
      expect(await addresses("lan0")).toBe("10.218.0.1/24");
    });

    it("gives a card another address, confirms it over a new connection, and leaves nothing armed", async () => {
      const changed = cards({ lan: ["10.218.0.7/24"] });

      const done = await apply(changed);

      expect(outcome(done)).toEqual([0, []]);
      expect([await addresses("lan0"), await addresses("eth0")]).toEqual([
        "10.218.0.7/24",
        `${network.address}/30`,
      ]);
      expect(await opened.armed()).toBe("network.lock");
      await mustBeAsWanted(changed);
    });

    it("puts nothing in place that netplan does not take, and says where it is wrong", async () => {
      const before = await host.sh(`cat ${netplanFile}`);

      const failed = await apply(cards({ lan: ["10.218.0.256/24"] }));

      const [error] = eventsOf(failed, "error");
      expect([failed.exitCode, error?.code]).toEqual([5, "ACTION_FAILED"]);
      expect(error?.message).toMatch(/\/etc\/netplan\/50-cloud-init\.yaml:\d+:\d+: .*10\.218\.0\.256\/24/);
      expect(await host.sh(`cat ${netplanFile}`)).toBe(before);
      expect(await opened.armed()).toBe("network.lock");
    });

    it("takes no card that the machine does not have", async () => {
      const [own, lan] = cards().cards;

      const failed = await apply({ cards: [own, { ...lan, mac: "52:54:00:d9:ff:02" }] });

      const [error] = eventsOf(failed, "error");
      expect([failed.exitCode, error?.code]).toEqual([5, "ACTION_FAILED"]);
      expect(error?.message).toContain(
        "no network card has the hardware address 52:54:00:d9:ff:02; there are:",
      );
      expect(error?.message).toContain(`lan0: ${lanMac}`);
    });

    it("is followed to its new address where whoever connects knows of it", async () => {
      const address = network.address.replace(/^10\.217\./, "10.220.");
      await network.addHere(`${network.here.replace(/^10\.217\./, "10.220.")}/30`);
      const { run } = recordedRun();
      const [, hostKey = ""] = /^\S+ (.*)$/m.exec(await readFile(host.knownHosts, "utf8")) ?? [];
      const privateKey = await readFile(host.identity, "utf8");
      const asked: string[] = [];
      const connect = async () => {
        const at = asked.length % 2 === 0 ? network.address : address;
        asked.push(at);
        const target = ownTarget({ host: at, port: host.port, user: "root", hostKey, privateKey });
        return connectSsh(target, { signal: run.signal, connectTimeoutMs: 4000, keepAliveMs: 2000 });
      };
      const params = cards({ own: [`${address}/30`], lan: ["10.218.0.7/24"] });

      await using ssh = await openSshHost({ name: "host", connect, run: "run-1", signal: run.signal });
      const where = { file: "host.yaml", line: 1, column: 1 };
      const recipe = [{ id: "network", task, params, where }];
      const summary = await converge(recipe, { host: ssh, run, check: false, sources: sourcesOf() });

      expect(summary).toMatchObject({ changed: 1 });
      expect(asked.at(-1)).toBe(address);
      expect(await addresses("eth0")).toBe(`${address}/30`);
      expect(await opened.armed()).toBe("network.lock");
    });
  },
);
