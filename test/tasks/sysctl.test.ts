import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { converge } from "../../src/provisioner/core/converge.ts";
import { emptyHost } from "../../src/provisioner/core/empty-host.ts";
import { kernelModule } from "../../src/tasks/kernel-module.ts";
import { sysctl } from "../../src/tasks/sysctl.ts";
import { emptyMachine } from "../support/fake-host.ts";
import { quietRun } from "../support/quiet-run.ts";
import { accepts, planned, refusal, settle, sourcesOf } from "../support/tasks.ts";

const stored = "/etc/sysctl.d/90-provision-net.ipv4.ip_forward.conf";
const forward = { key: "net.ipv4.ip_forward", value: "1" };

describe("sysctl", () => {
  it("stores the setting before it changes the kernel", async () => {
    const host = emptyMachine();

    await settle(sysctl, forward, host);

    expect(host.journal).toEqual([`write ${stored}`, "run sysctl -w net.ipv4.ip_forward=1"]);
  });

  it("takes the kernel's tabs for the spec's spaces", () => {
    const state = { running: "4096 131072", stored: "net.ipv4.tcp_rmem = 4096 131072\n", isRunning: true };

    expect(sysctl.plan({ key: "net.ipv4.tcp_rmem", value: "4096\t131072" }, state)).toEqual([]);
  });

  it("has nothing to do when 0 is wanted and 0 is there", async () => {
    const host = emptyMachine();
    host.files.write(stored, "net.ipv4.ip_forward = 0\n");

    await settle(sysctl, { ...forward, value: "0" }, host);

    expect(host.journal).toEqual([]);
  });

  it("fails when the kernel does not keep the value", async () => {
    const host = emptyMachine();
    host.program("sysctl", () => {});

    await expect(settle(sysctl, forward, host)).rejects.toMatchObject({ code: "TASK_NOT_SETTLED" });
  });

  it("refuses a setting that the kernel does not know, before it stores anything, and says the ways out", async () => {
    const host = emptyMachine();

    const settling = settle(sysctl, { key: "net.none", value: "1" }, host);

    await expect(settling).rejects.toMatchObject(
      refusal(/the kernel does not know the setting "net\.none"; put the kernel-module .* before this use/),
    );
    expect(host.journal).toEqual([]);
  });

  it("waits for the module that brings its setting", async () => {
    const host = emptyMachine();
    host.program("modprobe", () => {
      host.sysctls.set("net.bridge.bridge-nf-call-iptables", "0");
      host.modules.add("br_netfilter");
    });
    const bridge = { key: "net.bridge.bridge-nf-call-iptables", value: "1" };
    const where = { file: "web.yaml", line: 1, column: 1 };
    const recipe = [
      { id: "kernel-module", task: kernelModule, params: { name: "br_netfilter" }, where },
      { id: "sysctl", task: sysctl, params: bridge, where },
    ];
    const go = (check: boolean) => converge(recipe, { host, run: quietRun(), check, sources: sourcesOf() });

    const foretold = await go(true);
    await go(false);

    expect(foretold).toMatchObject({ changed: 1, mayChange: 1 });
    expect(host.sysctls.get(bridge.key)).toBe("1");
  });

  it("can be planned where there is no kernel yet", async () => {
    expect(await planned(sysctl, { key: "net.none", value: "1" }, emptyHost())).toHaveLength(2);
  });

  it.each(["kernel", "Net.ipv4", "net..x", "net.x=1", "-w.x", ""])("refuses the key %j", (key) => {
    expect(accepts(sysctl, { key, value: "1" })).toBe(false);
  });

  it("refuses a value that is a number or blank", () => {
    for (const value of [1, "", " \t"]) expect(accepts(sysctl, { ...forward, value })).toBe(false);
  });

  it("settles once whatever the words and the blanks between them", async () => {
    const words = fc.array(fc.stringMatching(/^[a-z0-9%|/=-]{1,8}$/), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(words, fc.constantFrom(" ", "\t", "  "), async (parts, blank) => {
        const host = emptyMachine();
        host.program("sysctl", (argv) => {
          const [key = "", ...value] = (argv[2] ?? "").split("=");
          host.sysctls.set(key, value.join("=").replaceAll(" ", "\t"));
        });
        const params = { key: "net.ipv4.ip_forward", value: parts.join(blank) };
        await settle(sysctl, params, host);

        expect(await settle(sysctl, params, host)).toMatchObject({ changed: 0, flights: 1 });
      }),
      { numRuns: 30 },
    );
  });
});
