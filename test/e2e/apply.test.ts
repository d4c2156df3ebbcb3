import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { FactRequest } from "../../src/provisioner/core/facts.ts";
import type { Output } from "../../src/provisioner/core/task.ts";
import { startCutProxy } from "../support/cut-proxy.ts";
import { eventsOf, launch, type LaunchedRun } from "../support/launcher.ts";
import { bootBase, type ScratchGuest } from "../support/scratch-guest.ts";

// One scratch guest, as its base made it: what is done to it is done in this order.
let scratch: ScratchGuest;

beforeAll(async () => {
  scratch = await bootBase("debian-13", { memoryMiB: 1024 });
});

afterAll(() => scratch[Symbol.asyncDispose]());

/** `apply` through the launcher; `port` reaches the guest by a proxy of ours. */
async function apply(
  more: readonly string[],
  port?: number,
  seen?: Parameters<typeof launch>[1],
): Promise<LaunchedRun> {
  const { booted, folder } = scratch;
  const at =
    port === undefined
      ? { host: booted.address, known: booted.address }
      : { host: "127.0.0.1", known: `[127.0.0.1]:${port}` };
  const knownHosts = join(folder, `known-hosts-${port ?? 22}`);
  await writeFile(knownHosts, `${at.known} ${booted.hostKey}\n`);
  const target = `visitor@${at.host}:${port ?? 22}`;
  const login = ["--identity", booted.keyFile, "--known-hosts", knownHosts];
  return launch(["apply", "--spec", "base", "--target", target, ...login, ...more], seen);
}

async function onGuest(...argv: [string, ...string[]]): Promise<Output> {
  const fact: FactRequest = { kind: "query", about: { argv } };
  const { answers } = await scratch.booted.host.fly({ orders: [], facts: [fact] });
  const [answer] = answers;
  if (!answer || "unknown" in answer) throw new Error(answer?.unknown ?? "no answer");
  return answer.value as Output;
}

/** What a change could show in: packages, /etc, units. */
async function fingerprint(): Promise<string> {
  const parts = [
    await onGuest("sh", "-c", "dpkg-query -W | sha256sum"),
    await onGuest(
      "sh",
      "-c",
      "find /etc /usr/local -xdev -newermt @0 -printf '%p %T@ %m %u %l\\n' | sort | sha256sum",
    ),
    await onGuest("sh", "-c", "sysctl -n kernel.dmesg_restrict kernel.kptr_restrict"),
  ];
  return parts.map(({ stdout }) => stdout).join("");
}

describe("provision apply on a real guest", { shuffle: false }, () => {
  it("changes nothing with --check and names every change", async () => {
    const before = await fingerprint();

    const checked = await apply(["--check"]);

    expect([checked.exitCode, eventsOf(checked, "error")]).toEqual([3, []]);
    expect(await fingerprint()).toBe(before);
    const named = eventsOf(checked, "use-ended").filter(({ outcome }) => outcome === "would-change");
    expect(named.map(({ use }) => use)).toEqual(
      expect.arrayContaining(["apt tools of every server", "file /etc/motd"]),
    );
  });

  it("converges when the connection is cut in the middle of apt, which runs once", async () => {
    await using proxy = await startCutProxy({ host: scratch.booted.address, port: 22 });
    let cuts = 0;

    const applied = await apply([], proxy.port, {
      seen: (event) => {
        if (cuts > 0 || event.kind !== "output" || !/^(Unpacking|Preparing to unpack)/.test(event.line))
          return;
        cuts += 1;
        proxy.cut();
      },
    });

    const history = await onGuest("grep", "-c", "^Commandline: .*htop", "/var/log/apt/history.log");
    expect([applied.exitCode, eventsOf(applied, "error")]).toEqual([0, []]);
    expect(cuts).toBe(1);
    expect(eventsOf(applied, "note").map(({ text }) => text)).toContainEqual(
      expect.stringContaining("coming back"),
    );
    expect(history.stdout.trim()).toBe("1");
    expect((await onGuest("dpkg", "--audit")).stdout).toBe("");
  });

  it("has nothing to change the second time, and finds that out in one flight", async () => {
    const again = await apply([]);

    expect(again.exitCode).toBe(0);
    expect(eventsOf(again, "result")[0]?.data).toMatchObject({ changed: 0, flights: 1 });
  });

  it("settles what somebody changed by hand, and nothing else", async () => {
    await onGuest("sh", "-c", "echo hello > /etc/motd; sysctl -qw kernel.kptr_restrict=0");

    const healed = await apply([]);

    const changed = eventsOf(healed, "use-ended").filter(({ outcome }) => outcome === "changed");
    expect(changed.map(({ use }) => use)).toEqual(["sysctl kernel.kptr_restrict", "file /etc/motd"]);
  });

  it("works with no failed unit afterwards", async () => {
    expect((await onGuest("systemctl", "list-units", "--failed", "--plain", "--no-legend")).stdout).toBe("");
  });
});
