import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { claimFiles, readClaims, removeFiles } from "../../src/provisioner/libvirt/claims.ts";
import type { Driver, Mark, OwnedDomain } from "../../src/provisioner/libvirt/driver.ts";
import { collectGarbage } from "../../src/provisioner/libvirt/gc.ts";
import { isAlive, thisProcess, type ProcessIdentity } from "../../src/provisioner/local/process-identity.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "provision-gc-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const dead: ProcessIdentity = { pid: 1, machine: "m", boot: "b", started: "0" };
const living: ProcessIdentity = { ...dead, pid: 2 };
const onlyLiving = async (owner: ProcessIdentity) => owner.pid === living.pid;

function domain(name: string, role: Mark["role"], owner?: ProcessIdentity): OwnedDomain {
  const mark = { role, run: "r", pid: 1, files: [], ...(owner && { owner }) };
  return { name, uuid: name, state: "running", mark };
}

/** A driver that knows domains and removes them; `stubborn` ones fail. */
function driverOf(
  domains: OwnedDomain[],
  stubborn: readonly string[] = [],
): Pick<Driver, "owned" | "remove"> {
  return {
    owned: async () => [...domains],
    async remove({ uuid }) {
      if (stubborn.includes(uuid)) throw new Error(`${uuid} will not go`);
      domains.splice(
        domains.findIndex((each) => each.uuid === uuid),
        1,
      );
    },
  };
}

describe("collectGarbage", () => {
  it("removes throw-away domains of dead processes, and no others", async () => {
    const domains = [
      domain("dead-builder", "builder", dead),
      domain("dead-scratch", "scratch", dead),
      domain("living-builder", "builder", living),
      domain("deployed", "host", dead),
      domain("nobody-knows", "builder"),
    ];

    const { found } = await collectGarbage(driverOf(domains), {
      check: false,
      claims: folder,
      isAlive: onlyLiving,
    });

    expect(found.map(({ name }) => name)).toEqual(["dead-builder", "dead-scratch"]);
    expect(domains.map(({ name }) => name)).toEqual(["living-builder", "deployed", "nobody-knows"]);
  });

  it("leaves a machine that is kept for later runs, but for a forsaken one", async () => {
    const keptBy = (name: string): OwnedDomain => {
      const { mark, ...rest } = domain(name, "scratch", dead);
      return { ...rest, mark: { ...mark, kept: `/machines/${name}.json` } };
    };
    const domains = [keptBy("wanted"), keptBy("forsaken")];
    const options = { check: false, claims: folder, isAlive: onlyLiving };

    const cautious = await collectGarbage(driverOf(domains), options);
    const { found } = await collectGarbage(driverOf(domains), {
      ...options,
      isForsaken: async ({ name }) => name === "forsaken",
    });

    expect(cautious.found).toEqual([]);
    expect(found.map(({ name }) => name)).toEqual(["forsaken"]);
  });

  it("only looks when it checks", async () => {
    const domains = [domain("dead-builder", "builder", dead)];

    const { found } = await collectGarbage(driverOf(domains), {
      check: true,
      claims: folder,
      isAlive: onlyLiving,
    });

    expect(found).toHaveLength(1);
    expect(domains).toHaveLength(1);
  });

  it("goes on when one will not go", async () => {
    const domains = [domain("stuck", "builder", dead), domain("loose", "builder", dead)];

    const garbage = await collectGarbage(driverOf(domains, ["stuck"]), {
      check: false,
      claims: folder,
      isAlive: onlyLiving,
    });

    expect(garbage.found.map(({ name }) => name)).toEqual(["loose"]);
    expect(garbage.failed.map(({ leftover }) => leftover.name)).toEqual(["stuck"]);
  });

  it("removes files that a dead process had claimed", async () => {
    const claims = join(folder, "claims");
    const file = join(folder, "overlay.qcow2");
    await claimFiles(claims, "run-1", [file]);
    await writeFile(file, "half");

    const alive = await collectGarbage(driverOf([]), { check: false, claims });
    const gone = await collectGarbage(driverOf([]), { check: false, claims, isAlive: async () => false });

    expect(alive.found).toEqual([]);
    expect(gone.found).toMatchObject([{ kind: "files", name: "run-1", files: [file] }]);
    expect(await readdir(folder)).toEqual(["claims"]);
    expect(await readClaims(claims)).toEqual([]);
  });
});

describe("claimFiles", () => {
  it("removes the files when it is disposed, and keeps them when it is released", async () => {
    const claims = join(folder, "claims");
    const [kept, dropped] = [join(folder, "kept"), join(folder, "dropped")];

    {
      await using claim = await claimFiles(claims, "one", [dropped, join(folder, "never-made")]);
      await writeFile(dropped, "");
      expect(claim).toBeDefined();
    }
    const claim = await claimFiles(claims, "two", [kept]);
    await writeFile(kept, "");
    await claim.release();

    expect(await readdir(folder)).toEqual(["claims", "kept"]);
    expect(await readdir(claims)).toEqual([]);
  });
});

describe("removeFiles", () => {
  it("takes a folder that is empty by then, and leaves one that is not", async () => {
    const [empty, full] = [join(folder, "empty"), join(folder, "full")];
    await Promise.all([mkdir(empty), mkdir(full)]);
    await Promise.all([writeFile(join(empty, "a"), ""), writeFile(join(full, "b"), "")]);

    await removeFiles([join(empty, "a"), empty, full, join(folder, "never-was")]);

    expect(await readdir(folder)).toEqual(["full"]);
    expect(await readdir(full)).toEqual(["b"]);
  });
});

describe("isAlive", () => {
  it("is true of this process", async () => {
    expect(await isAlive(await thisProcess())).toBe(true);
  });

  it.each([
    ["a later process has its number", { started: "1" }, false],
    ["the machine was booted again", { boot: "another" }, false],
    ["there is no such process", { pid: 2 ** 22 + 1 }, false],
    ["it runs on another machine", { machine: "another", boot: "another" }, true],
  ])("when %s is %s", async (_title, change, alive) => {
    const owner = { ...(await thisProcess()), ...change };

    expect(await isAlive(owner)).toBe(alive);
  });
});
