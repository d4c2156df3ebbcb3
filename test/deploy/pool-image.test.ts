import { writeFile } from "node:fs/promises";

import { describe, expect, it } from "vitest";

import type { DeployDriver } from "../../src/provisioner/deploy/deployment.ts";
import { bringImage } from "../../src/provisioner/deploy/pool-image.ts";
import { type Lab, openLab, someImage } from "../support/fake-deployment.ts";
import { recordedRun } from "../support/recorded-run.ts";

/** Brings the lab's image to its pool, and says what was said. */
async function bring(lab: Lab, driver: Pick<DeployDriver, "uri" | "volumes"> = lab.hypervisor.driver) {
  const { run, events } = recordedRun();
  const place = {
    driver,
    pool: "default",
    workDir: lab.deploy().workDir,
    behindMs: 1000,
  };
  return { volume: await bringImage(lab.image, place, run), events };
}

const sent = ({ hypervisor, image }: Lab) =>
  hypervisor.calls.filter((call) => call.endsWith(image.path)).length;
const nameOf = ({ image }: Lab) =>
  `provision-image-base-20260131-0a1b2c3d-${image.sha256.slice(0, 12)}.qcow2`;

describe("bringImage", () => {
  it("sends an image that is not there, and writes down that it is whole", async () => {
    const lab = await openLab();

    const { volume, events } = await bring(lab);

    expect(volume).toMatchObject({ name: nameOf(lab), bytes: lab.image.bytes, capacity: 4 * 1024 ** 3 });
    expect(lab.hypervisor.disks.names()).toEqual([nameOf(lab), `${nameOf(lab)}.whole`]);
    expect(events).toContainEqual(expect.objectContaining({ title: "Upload base@20260131-0a1b2c3d" }));
  });

  it("only looks where it is there", async () => {
    const lab = await openLab();
    await bring(lab);
    lab.hypervisor.calls.length = 0;
    lab.hypervisor.disks.available = 0;

    const { events } = await bring(lab);

    expect(lab.hypervisor.calls.map((call) => call.split(" ")[0])).toEqual(["volumes.find", "volumes.find"]);
    expect(events).toEqual([]);
  });

  it.each<[what: string, spoil: (lab: Lab) => void]>([
    ["nobody says is whole", (lab) => lab.hypervisor.disks.all.delete(`/pools/default/${nameOf(lab)}.whole`)],
    ["has another length", (lab) => lab.hypervisor.disks.write(`/pools/default/${nameOf(lab)}`, "half")],
    ["is gone", (lab) => lab.hypervisor.disks.all.delete(`/pools/default/${nameOf(lab)}`)],
  ])("sends one again that %s", async (_what, spoil) => {
    const lab = await openLab();
    await bring(lab);
    spoil(lab);

    const { volume } = await bring(lab);

    expect(volume.bytes).toBe(lab.image.bytes);
    expect(sent(lab)).toBe(2);
  });

  it("waits for a pool that is behind with what it knows of what was just sent", async () => {
    const lab = await openLab();
    const { volumes, uri } = lab.hypervisor.driver;
    let looks = 0;
    const behind: typeof volumes = {
      ...volumes,
      refresh: async () => void (looks += 1),
      find: async (pool, name) => {
        const found = await volumes.find(pool, name);
        return found && looks < 3 && name.endsWith(".qcow2") ? { ...found, bytes: 7 } : found;
      },
    };

    const { volume } = await bring(lab, { uri, volumes: behind });

    expect([volume.bytes, looks]).toEqual([lab.image.bytes, 3]);
  });

  it("never takes from under a disk the image that it stands on, whatever became of that", async () => {
    const lab = await openLab();
    const { volume } = await bring(lab);
    await lab.hypervisor.driver.volumes.create("default", {
      name: "web.qcow2",
      format: "qcow2",
      capacity: 1,
      backing: { path: volume.path, format: "qcow2" },
    });
    lab.hypervisor.disks.write(volume.path, "half");

    await expect(bring(lab)).rejects.toMatchObject({
      code: "POOL_IMAGE_DAMAGED",
      facts: { disks: ["/pools/default/web.qcow2"] },
    });
    expect(sent(lab)).toBe(1);
  });

  it("tells images of one name apart by their digests", async () => {
    const lab = await openLab();
    await bring(lab);
    lab.image = await someImage(lab.folder, `${lab.image.label} `);

    await bring(lab);

    expect(lab.hypervisor.disks.names()).toHaveLength(4);
  });

  it("is refused by a pool without room, with what it needs and what there is", async () => {
    const lab = await openLab();
    lab.hypervisor.disks.available = lab.image.bytes - 1;

    await expect(bring(lab)).rejects.toMatchObject({
      code: "POOL_FULL",
      facts: { pool: "default", what: lab.image.label, neededMiB: 1, freeMiB: 0 },
    });
    expect(lab.hypervisor.disks.names()).toEqual([]);
  });

  it("is refused when its file is damaged, before anything is sent", async () => {
    const lab = await openLab();
    await writeFile(lab.image.path, "damaged");

    await expect(bring(lab)).rejects.toMatchObject({
      code: "IMAGE_DAMAGED",
      facts: { wanted: lab.image.sha256 },
    });
    expect(lab.hypervisor.calls.filter((call) => /create|upload/.test(call))).toEqual([]);
  });

  it("is sent once for many that want it at the same time", async () => {
    const lab = await openLab();

    const all = await Promise.all([bring(lab), bring(lab), bring(lab)]);

    expect(sent(lab)).toBe(1);
    expect(new Set(all.map(({ volume }) => volume.path)).size).toBe(1);
  });

  it("leaves nothing of one that was not sent whole", async () => {
    const lab = await openLab();
    lab.hypervisor.failOnce((call) => call.endsWith("/whole"));

    await expect(bring(lab)).rejects.toMatchObject({ code: "LIBVIRT_FAILED" });

    expect(lab.hypervisor.disks.names()).toEqual([]);
  });
});
