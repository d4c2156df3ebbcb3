import { describe, expect, it } from "vitest";

import { deployHost } from "../../src/provisioner/deploy/deploy-host.ts";
import type { HostSpec } from "../../src/provisioner/spec/host-spec.ts";
import { imagesAreWhole, type Lab, leftIn, nothing, openLab, someImage } from "../support/fake-deployment.ts";
import { someCard } from "../support/some-host.ts";

const wanted: Partial<HostSpec> = {
  networks: [someCard({ dhcp4: false, addresses: ["192.0.2.10/24"] })],
  extraDisks: [{ name: "data", sizeGiB: 2 }],
};

/** Runs work again and again, stopped after its first call, after its second, until it gets through. */
async function stoppedAtEach(
  prepare: () => Promise<Lab>,
  work: (lab: Lab, signal: AbortSignal) => Promise<unknown>,
  look: (lab: Lab, call: string) => void | Promise<void>,
): Promise<number> {
  for (let count = 1; ; count++) {
    const lab = await prepare();
    const stop = new AbortController();
    const from = lab.hypervisor.calls.length;
    lab.hypervisor.after = () => {
      if (lab.hypervisor.calls.length - from === count) stop.abort();
    };
    const hasEnded = await work(lab, stop.signal).then(
      () => true,
      () => false,
    );
    const call = lab.hypervisor.calls[from + count - 1];
    if (call === undefined) return count - 1;
    lab.hypervisor.after = () => {};
    if (!hasEnded) await look(lab, call);
  }
}

/** A host that is to be made anew from another image. */
async function replaceable(): Promise<Lab> {
  const lab = await openLab();
  await deployHost(lab.deploy(wanted));
  lab.image = await someImage(lab.folder, "base@20260201-ffffffff");
  return lab;
}

const isReady = ({ hypervisor }: Lab) => hypervisor.domains.get("web")?.machine.mark?.host?.ready === true;

/** What there is beside a host that is whole; `volumes` would be there without it. */
function leftBeside(lab: Lab, volumes: readonly string[] = []) {
  const left = leftIn(lab);
  return isReady(lab) ? { ...nothing, volumes, connections: left.connections } : left;
}

describe("a first deploy that is stopped", () => {
  it(
    "leaves nothing or the host itself, wherever it was, and no connection",
    { timeout: 120_000 },
    async () => {
      const calls = await stoppedAtEach(
        openLab,
        (lab, signal) => deployHost(lab.deploy(wanted, { signal })),
        (lab, call) => {
          expect([call, imagesAreWhole(lab)]).toEqual([call, true]);
          expect({ call, ...leftBeside(lab) }).toEqual({ call, ...nothing });
        },
      );

      expect(calls).toBeGreaterThan(30);
    },
  );

  it("sends an image again that it had not sent whole", async () => {
    const lab = await openLab();
    const stop = new AbortController();
    lab.hypervisor.before = (call) => {
      if (call.startsWith("volumes.upload")) stop.abort();
    };

    await expect(deployHost(lab.deploy({}, { signal: stop.signal }))).rejects.toThrow("aborted");
    const left = lab.hypervisor.disks.names();
    lab.hypervisor.before = () => {};
    await deployHost(lab.deploy());

    expect(left).toEqual([]);
  });
});

describe("a first deploy of which a call fails", () => {
  it("leaves nothing or the host itself, whichever it was", { timeout: 120_000 }, async () => {
    for (let count = 1; ; count++) {
      const lab = await openLab();
      lab.hypervisor.failOnce((_call, number) => number === count);

      const hasFailed = await deployHost(lab.deploy(wanted)).then(
        () => false,
        () => true,
      );

      const call = lab.hypervisor.calls[count - 1];
      if (call === undefined) break;
      expect([call, hasFailed, imagesAreWhole(lab)]).toEqual([call, true, true]);
      expect({ call, ...leftBeside(lab) }).toEqual({ call, ...nothing });
    }
  });
});

describe("a replacement that is stopped", () => {
  it("leaves the host as it was, the new one, or its extra disks alone", { timeout: 120_000 }, async () => {
    const calls = await stoppedAtEach(
      replaceable,
      (lab, signal) => deployHost(lab.deploy(wanted, { replace: true, signal })),
      (lab, call) => {
        const volumes = ["web.disk-data.qcow2"];
        expect({ call, ...leftBeside(lab, volumes) }).toEqual({ call, ...nothing, volumes });
      },
    );

    expect(calls).toBeGreaterThan(30);
  });
});

/** Kills work at its first call, at its second, until it gets through; each time the next deploy is to make it good. */
async function killedAtEach(
  prepare: () => Promise<Lab>,
  work: (lab: Lab) => Promise<unknown>,
  next: (lab: Lab) => Promise<unknown>,
): Promise<number> {
  for (let count = 1; ; count++) {
    const lab = await prepare();
    const from = lab.hypervisor.calls.length;
    lab.hypervisor.dieAt(count);
    await work(lab).catch(() => {});
    const call = lab.hypervisor.calls[from + count - 1];
    if (call === undefined) return count - 1;
    lab.hypervisor.before = () => {};

    const done = await next(lab).catch((error: unknown) => error);

    expect([call, done]).toEqual([call, expect.objectContaining({ host: "web" })]);
    expect({ call, ...leftIn(lab) }).toEqual({
      call,
      domains: ["web"],
      volumes: ["web-console.log", "web-seed.img", "web.disk-data.qcow2", "web.qcow2"],
      reservations: ["192.0.2.10"],
      connections: 0,
    });
    expect(isReady(lab)).toBe(true);
    expect(lab.remembered.get("web")).toBe(lab.hypervisor.domains.get("web")?.machine.mark?.host?.hostKey);
  }
}

describe("the deploy after one that was killed", () => {
  it("makes the host", { timeout: 240_000 }, async () => {
    const deploy = (lab: Lab) => deployHost(lab.deploy(wanted));

    expect(await killedAtEach(openLab, deploy, deploy)).toBeGreaterThan(30);
  });

  it(
    "makes the host that was to be replaced, whether it is to be any more or not",
    { timeout: 240_000 },
    async () => {
      const calls = await killedAtEach(
        replaceable,
        (lab) => deployHost(lab.deploy(wanted, { replace: true })),
        (lab) => deployHost(lab.deploy(wanted)),
      );

      expect(calls).toBeGreaterThan(30);
    },
  );
});
