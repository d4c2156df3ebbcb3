import { createHash } from "node:crypto";
import { readdir, readFile, readlink, stat } from "node:fs/promises";
import { join } from "node:path";

import { beforeEach, describe, expect, it } from "vitest";

import { ProvisionError } from "../../src/provisioner/core/errors.ts";
import type { Event } from "../../src/provisioner/core/events.ts";
import { buildImage } from "../../src/provisioner/image/build-image.ts";
import { comparable } from "../../src/provisioner/image/manifest.ts";
import { virtualSize } from "../../src/provisioner/image/qemu-img.ts";
import { fakeWorkshop, type FakeWorkshop } from "../support/fake-workshop.ts";
import { quietRun } from "../support/quiet-run.ts";
import { recordedRun } from "../support/recorded-run.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

const phases = [
  "Check this machine",
  "Prepare base",
  "Boot builder",
  "Apply tasks",
  "Seal and power off",
  "Flatten and compress",
  "Digest",
];

let shop: FakeWorkshop;

beforeEach(async () => {
  shop = await fakeWorkshop(await scratchFolder());
});

/** What may be there after a build that came to nothing. */
async function expectNothingLeft(): Promise<void> {
  expect(await shop.leftovers()).toEqual([]);
  expect(await readdir(shop.store, { recursive: true })).toEqual(
    (await readdir(shop.store)).filter((name) => name === "web"),
  );
}

/** A run that is stopped at the first event of a kind. */
function stoppedAt(isMoment: (event: Event) => boolean) {
  const stop = new AbortController();
  return recordedRun(stop.signal, (event) => {
    if (isMoment(event)) stop.abort();
  });
}

/** Holds a build that has the lock until another one says that it waits, or until it is let go. */
function meeting() {
  let go = () => {};
  const waited = new Promise<void>((resolve) => {
    go = resolve;
  });
  let arrive = () => {};
  const reached = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  return {
    go: () => go(),
    reached,
    wait: () => {
      arrive();
      return waited;
    },
    onEvent: (event: Event) => {
      if (event.kind === "note") go();
    },
  };
}

describe("buildImage", () => {
  it("publishes image, digest, manifest and list of packages, and leaves nothing else", async () => {
    const run = quietRun();

    const { image, fresh } = await buildImage(shop.request(), shop, run);

    const bytes = await readFile(image.path);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const manifest: unknown = JSON.parse(await readFile(join(image.folder, "manifest.json"), "utf8"));
    expect(fresh).toBe(true);
    expect(manifest).toMatchObject({
      name: "web",
      version: image.version,
      image: { sha256, bytes: bytes.length, virtualBytes: 1024 ** 3 },
      base: { name: "debian-13" },
      uses: [{ task: "file", use: "file /etc/motd", from: "specs/web.yaml:3" }],
      packages: [{ name: "curl", version: "8.14-1+b1", architecture: "amd64" }],
      built: { accelerator: "tcg", phases: phases.map((name) => ({ name })) },
    });
    expect(await readFile(join(image.folder, "SHA256SUMS"), "utf8")).toBe(`${sha256}  image.qcow2\n`);
    expect((await stat(image.path)).mode & 0o777).toBe(0o444);
    expect(await virtualSize(image.path, run)).toBe(1024 ** 3);
    expect(await readlink(join(shop.store, "web/latest"))).toBe(image.version);
    expect((await readdir(image.folder)).toSorted()).toEqual([
      "SHA256SUMS",
      "image.qcow2",
      "manifest.json",
      "sbom.cdx.json",
    ]);
    expect(await shop.leftovers()).toEqual([]);
    expect(shop.driver.isClosed).toBe(true);
  });

  it("settles the tasks before it seals", async () => {
    await buildImage(shop.request(), shop, quietRun());

    const [builder] = shop.builders;
    expect(builder?.journal[0]).toBe("write /etc/motd");
    expect(builder?.journal.at(-1)).toContain("provision-seal");
  });

  it("neither prepares nor opens anything when an image of the same inputs is there", async () => {
    const first = await buildImage(shop.request(), shop, quietRun());
    const never = () => Promise.reject(new Error("there is nothing to build"));

    const second = await buildImage(
      shop.request({ prepareMachine: never, prepareBase: never }),
      shop,
      quietRun(),
    );

    expect(second).toMatchObject({ fresh: false, image: { path: first.image.path } });
    expect(shop.opened()).toBe(1);
  });

  it("makes another version with --force, and points `latest` at it", async () => {
    const first = await buildImage(shop.request(), shop, quietRun());

    const second = await buildImage(shop.request({ force: true }), shop, quietRun());

    expect(second.image.version).toBe(`${first.image.version}.2`);
    expect(comparable(second.image.manifest)).toEqual(comparable(first.image.manifest));
    expect(await readlink(join(shop.store, "web/latest"))).toBe(second.image.version);
    expect((await stat(first.image.path)).isFile()).toBe(true);
  });

  it("points `latest` back when the inputs are again those of an older image", async () => {
    const first = await buildImage(shop.request(), shop, quietRun());
    const other = { ...shop.request().inputs, code: "2" };
    await buildImage(shop.request({ inputs: other }), shop, quietRun());

    const again = await buildImage(shop.request(), shop, quietRun());

    expect(again).toMatchObject({ fresh: false, image: { version: first.image.version, latest: true } });
    expect(await readlink(join(shop.store, "web/latest"))).toBe(first.image.version);
    expect(await shop.leftovers()).toEqual([]);
  });

  it("lets one of two builds at once do the work, and gives its result to the other", async () => {
    const held = meeting();
    const runs = [recordedRun(undefined, held.onEvent), recordedRun(undefined, held.onEvent)] as const;
    const request = shop.request({ prepareMachine: held.wait });

    const outcomes = await Promise.all(runs.map(({ run }) => buildImage(request, shop, run)));

    expect(new Set(outcomes.map(({ fresh }) => fresh))).toEqual(new Set([true, false]));
    expect(new Set(outcomes.map(({ image }) => image.path)).size).toBe(1);
    expect(shop.builders).toHaveLength(1);
    const notes = runs.flatMap(({ events }) => events.filter(({ kind }) => kind === "note"));
    expect(notes).toEqual([
      {
        kind: "note",
        level: "info",
        text: `Waiting for process ${process.pid}, which has the build of web`,
      },
    ]);
  });

  it("stops waiting for another build when told to, and leaves that one alone", async () => {
    const held = meeting();
    const stop = new AbortController();
    const first = buildImage(shop.request({ prepareMachine: held.wait }), shop, quietRun());
    await held.reached;

    const second = buildImage(
      shop.request(),
      shop,
      recordedRun(stop.signal, (event) => {
        if (event.kind === "note") stop.abort();
      }).run,
    );

    await expect(second).rejects.toMatchObject({ name: "AbortError" });
    held.go();
    expect(await first).toMatchObject({ fresh: true });
  });

  it("says before it boots that a vendor's disk is too small, once that is here", async () => {
    const needs = [{ part: "root", gib: 3, where: { file: "web.yaml", line: 2, column: 7 } }] as const;
    const ours = shop.request({ needs });
    const request: typeof ours = {
      ...ours,
      prepareBase: async (run) => ({ ...(await ours.prepareBase(run)), layout: "vendor" }),
    };

    await expect(buildImage(request, shop, quietRun())).rejects.toMatchObject({
      code: "DISK_TOO_SMALL",
      exitCode: 2,
      facts: { base: "debian-13", neededGiB: 3, hasGiB: "1.0" },
    });
    expect(shop.opened()).toBe(0);
    await expectNothingLeft();
  });

  it.each(["work", "store"])("says before it starts that the disk of the %s is full", async (which) => {
    // /proc has no space for anything.
    const full = which === "work" ? { ...shop, workDir: "/proc" } : { ...shop, store: "/proc" };
    const run = quietRun();

    await expect(buildImage(shop.request(), full, run)).rejects.toMatchObject({
      code: "DISK_FULL",
      exitCode: 5,
      facts: { path: "/proc", freeGiB: "0.0" },
    });
    expect(run.events).toEqual([]);
    expect(shop.opened()).toBe(0);
  });
});

describe("a build that fails", () => {
  it("names the use and its place when a task fails, and leaves nothing", async () => {
    shop.prepare = (builder) => builder.files.directory("/etc/motd");

    await expect(buildImage(shop.request(), shop, quietRun())).rejects.toMatchObject({
      code: "TASK_REFUSED",
      where: { file: "specs/web.yaml", line: 3, column: 5 },
    });
    await expectNothingLeft();
    expect(shop.driver.isClosed).toBe(true);
  });

  it.each([
    ["says so", "SEAL-FAILED exit 1 at: removing builder", /SEAL-FAILED exit 1 at: removing builder/],
    ["goes off in the middle of it", "STARTED", /STARTED/],
  ])("publishes nothing when the seal %s", async (_, said, reason) => {
    shop.sealed = said;

    const building = buildImage(shop.request(), shop, quietRun());

    await expect(building).rejects.toMatchObject({
      code: "SEAL_FAILED",
      message: expect.stringMatching(reason) as string,
    });
    await expectNothingLeft();
  });

  it("publishes nothing when the seal cannot be started", async () => {
    shop.prepare = (builder) => builder.withoutProgram("systemd-run");

    await expect(buildImage(shop.request(), shop, quietRun())).rejects.toMatchObject({
      code: "SEAL_FAILED",
      message: expect.stringContaining("systemd-run: not found") as string,
    });
    await expectNothingLeft();
  });

  it("shows the console when the builder does not go off after the seal", async () => {
    shop.driver.guests = { waitForOff: async () => false };

    await expect(buildImage(shop.request(), shop, quietRun())).rejects.toMatchObject({
      code: "SEAL_FAILED",
      message: expect.stringContaining("the console's end") as string,
    });
    await expectNothingLeft();
  });

  it.each([
    ["the builder never boots", "GUEST_NEVER_BOOTED"],
    ["the network is missing", "NETWORK_MISSING"],
    ["libvirtd is down", "LIBVIRT_DOWN"],
    ["the base cannot be had", "DIGEST_DIFFERS"],
    ["this machine lacks something", "MACHINE_NOT_READY"],
  ] as const)("leaves nothing when %s", async (_, code) => {
    const error = new ProvisionError(code, {
      guest: "g",
      stage: "address",
      seconds: 9,
      console: "Kernel panic",
      network: "lan",
      uri: "u",
      reason: "r",
      name: "debian-13",
      url: "https://example.org",
      wanted: "a",
      got: "b",
      lacks: ["qemu"],
    });
    const fail = () => Promise.reject(error);
    if (code === "GUEST_NEVER_BOOTED") shop.bootGuest = fail;
    if (code === "NETWORK_MISSING") shop.driver.startNetwork = fail;
    if (code === "LIBVIRT_DOWN") shop.openDriver = fail;
    const request = shop.request({
      ...(code === "DIGEST_DIFFERS" && { prepareBase: fail }),
      ...(code === "MACHINE_NOT_READY" && { prepareMachine: fail }),
    });

    await expect(buildImage(request, shop, quietRun())).rejects.toBe(error);
    await expectNothingLeft();
  });

  it("publishes nothing when the image does not stand its verification", async () => {
    const building = buildImage(shop.request({ verify: true }), shop, quietRun());

    // The disk of this test has no partitions to look into.
    await expect(building).rejects.toMatchObject({ code: "PROGRAM_FAILED" });
    await expectNothingLeft();
  });

  it("can be built again at once", async () => {
    shop.sealed = "SEAL-FAILED";
    await expect(buildImage(shop.request(), shop, quietRun())).rejects.toThrow(/SEAL-FAILED/);
    shop.sealed = "SEALED";

    expect(await buildImage(shop.request(), shop, quietRun())).toMatchObject({ fresh: true });
  });
});

describe("a build that fails with --keep-on-error", () => {
  const kept = { keepOnError: true };

  it("leaves the builder and its disk, and says how to get in and how to end it", async () => {
    shop.prepare = (builder) => builder.files.directory("/etc/motd");
    const run = quietRun();

    await expect(buildImage(shop.request(kept), shop, run)).rejects.toMatchObject({ code: "TASK_REFUSED" });

    const [name] = shop.driver.domains.keys();
    const [folder = ""] = await readdir(shop.workDir);
    expect(await readdir(join(shop.workDir, folder))).toContain("disk.qcow2");
    const notes = run.events.flatMap((event) => (event.kind === "note" ? [event.text] : []));
    expect(notes).toEqual([
      "The builder stays up as asked: ssh builder@192.0.2.1",
      `When done: virsh destroy ${name}, then provision gc`,
    ]);
  });

  it("leaves the disk of a builder that never let anybody in", async () => {
    shop.bootGuest = async ({ keepOnError, driver, run }) => {
      throw new Error(`${keepOnError}, ${await driver.accelerator(run)}`);
    };

    await expect(buildImage(shop.request(kept), shop, quietRun())).rejects.toThrow("true, tcg");
    expect(await readdir(shop.workDir)).toHaveLength(1);
  });

  it("leaves nothing all the same when it is stopped", async () => {
    const { run } = stoppedAt((event) => event.kind === "step-started" && event.title === "Apply tasks");

    await expect(buildImage(shop.request(kept), shop, run)).rejects.toMatchObject({ name: "AbortError" });
    await expectNothingLeft();
  });
});

describe("Ctrl-C", () => {
  it.each([...phases, "Verify"])("leaves nothing in the phase %s", async (phase) => {
    const { run, events } = stoppedAt((event) => event.kind === "step-started" && event.title === phase);

    const building = buildImage(shop.request({ verify: phase === "Verify" }), shop, run);

    await expect(building).rejects.toMatchObject({ name: "AbortError" });
    await expectNothingLeft();
    expect(events.some((event) => event.kind === "step-ended" && event.ending === "stopped")).toBe(true);
  });

  it("publishes nothing when it comes after the last phase", async () => {
    let digesting = 0;
    const { run } = stoppedAt((event) => {
      if (event.kind === "step-started" && event.title === "Digest") digesting = event.step;
      return event.kind === "step-ended" && event.step === digesting;
    });

    await expect(buildImage(shop.request(), shop, run)).rejects.toMatchObject({ name: "AbortError" });
    await expectNothingLeft();
  });
});
