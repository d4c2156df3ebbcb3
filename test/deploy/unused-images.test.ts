import { describe, expect, it } from "vitest";

import { findUnusedImages, removeImage } from "../../src/provisioner/deploy/unused-images.ts";
import { FakeHypervisor, someDomain, someVolume } from "../support/fake-hypervisor.ts";

describe("findUnusedImages", () => {
  const now = Date.UTC(2026, 0, 2);
  const hourAgo = now - 3_700_000;
  const image = (name: string, modified = hourAgo) =>
    someVolume(`provision-image-${name}.qcow2`, { modified });
  const done = (name: string, modified = hourAgo) =>
    someVolume(`provision-image-${name}.qcow2.whole`, { modified, bytes: 1 });

  it("finds images that no disk stands on, half ones too, and no others", async () => {
    const attached = [{ target: "vda", path: "/pool/provision-image-attached.qcow2", readOnly: true }];
    const driver = new FakeHypervisor(
      [someDomain({ name: "mine", mark: "none", facts: { disks: attached } })],
      [
        image("unused"),
        done("unused"),
        image("used"),
        done("used"),
        someVolume("web.qcow2", { backing: "/pool/provision-image-used.qcow2" }),
        image("half"),
        image("coming", now - 1000),
        image("just-brought"),
        done("just-brought", now - 1000),
        image("attached"),
        done("attached"),
        done("alone"),
        someVolume("debian.qcow2", { modified: hourAgo }),
        someVolume("my-provision-image-1.qcow2", { modified: hourAgo }),
      ],
    );

    const found = await findUnusedImages(driver, now);
    for (const each of found) await removeImage(driver, each);

    expect(found.map(({ volumes }) => volumes[0])).toEqual([
      "provision-image-unused.qcow2",
      "provision-image-half.qcow2",
      "provision-image-alone.qcow2.whole",
    ]);
    expect(driver.journal).toEqual([
      "remove provision-image-unused.qcow2.whole",
      "remove provision-image-unused.qcow2",
      "remove provision-image-half.qcow2",
      "remove provision-image-alone.qcow2.whole",
    ]);
  });

  it("starts the pools of hosts before it looks: one that is off hides who stands on what", async () => {
    const driver = new FakeHypervisor([someDomain({ host: { pool: "ssd" } })], [image("used")]);
    const opened: string[] = [];
    driver.pools.open = async (pool) => {
      opened.push(pool);
      return "/pool";
    };

    await findUnusedImages(driver, now);

    expect(opened).toEqual(["ssd"]);
  });
});
