import { join } from "node:path";

import { beforeEach, expect, it } from "vitest";

import { virtualSize } from "../../src/provisioner/image/qemu-img.ts";
import { type Candidate, verifyImage, vouchFor } from "../../src/provisioner/image/verify-image.ts";
import { fakeWorkshop, type FakeWorkshop } from "../support/fake-workshop.ts";
import { quietRun } from "../support/quiet-run.ts";
import { scratchFolder } from "../support/scratch-folder.ts";
import { makeSmallImage, putFile } from "../support/small-image.ts";

const GIB = 1024 ** 3;

let folder: string;
let shop: FakeWorkshop;

beforeEach(async () => {
  folder = await scratchFolder();
  shop = await fakeWorkshop(await scratchFolder());
  const put = (path: string, text: string) => putFile(join(folder, path), text);
  await put("root/etc/passwd", "root:x:0:0::/root:/bin/sh\n");
  await put("root/etc/machine-id", "");
  await put("root/usr/lib/sysimage/dpkg/status", "Package: bash\nStatus: install ok installed\n");
});

async function candidate(): Promise<Candidate> {
  const path = await makeSmallImage(folder);
  return { path, name: "web", readOnlyRoot: false, machine: { cpus: 1, memoryMiB: 512 } };
}

it("says of an image whose files break a promise what was found, and boots nothing", async () => {
  await putFile(join(folder, "root/etc/machine-id"), "0123456789abcdef0123456789abcdef\n");
  const run = quietRun();
  const image = await candidate();

  const findings = await verifyImage(image, shop, run);

  expect(() => vouchFor(image, findings)).toThrow(
    /files: machine-id is empty: \/etc\/machine-id holds "0123/,
  );
  expect(run.events).toContainEqual({
    kind: "assertion",
    promise: "empty-machine-id",
    moment: "files",
    what: "machine-id is empty",
    held: false,
    found: expect.stringContaining("0123456789abcdef") as unknown,
  });
  expect(run.events).toContainEqual({
    kind: "assertion",
    promise: "no-users",
    moment: "files",
    what: "no users with a login",
    held: true,
  });
  expect(shop.opened()).toBe(0);
  expect(await shop.leftovers()).toEqual([]);
});

it("boots a copy on a larger disk, under an identity of its own", async () => {
  const image = await candidate();
  let booted: { readonly bytes: number; readonly user: string } | undefined;
  shop.bootGuest = async ({ disk, user, run }) => {
    booted = { bytes: await virtualSize(disk, run), user };
    throw new Error("far enough");
  };

  await expect(verifyImage(image, shop, quietRun())).rejects.toThrow("far enough");

  expect(booted).toEqual({ bytes: 3 * GIB, user: "visitor" });
  expect(await shop.leftovers()).toEqual([]);
});

it("vouches for an image of which everything held", () => {
  const held = { promise: "no-users", what: "no users", moment: "files", against: [] } as const;

  expect(() => vouchFor({ path: "/x" }, [held])).not.toThrow();
});
