import { writeFileSync } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";

import type { Run } from "../../src/provisioner/core/run.ts";
import type { Base } from "../../src/provisioner/image/base-image.ts";
import type { BootedGuest, GuestPlan } from "../../src/provisioner/image/boot-guest.ts";
import type { BuildRequest } from "../../src/provisioner/image/build-image.ts";
import type { Workshop } from "../../src/provisioner/image/workshop.ts";
import { program } from "../../src/provisioner/local/program.ts";
import { file } from "../../src/tasks/file.ts";
import { shippedTemplates } from "./bases.ts";
import { FakeDriver } from "./fake-driver.ts";
import { emptyMachine, type FakeHost } from "./fake-host.ts";
import { someMachine } from "./machine.ts";
import { quietRun } from "./quiet-run.ts";
import { sourcesOf } from "./tasks.ts";

/** A workshop on real disks with a hypervisor in memory; its builders seal themselves when they are told to. */
export interface FakeWorkshop extends Workshop {
  readonly driver: FakeDriver;
  /** The builders that were booted. */
  readonly builders: FakeHost[];
  /** How often the hypervisor was asked for. */
  readonly opened: () => number;
  /** Done to each builder before it is handed out. */
  prepare: (builder: FakeHost) => void;
  /** The last line that the seal says, after the marker with the build's nonce. */
  sealed: string;
  /** A request for an image of one file. */
  request(changes?: Partial<BuildRequest>): BuildRequest;
  /** What lies where only published images may stay. */
  leftovers(): Promise<string[]>;
}

/** Makes one in an empty folder, with a base of a few kilobytes. */
export async function fakeWorkshop(folder: string): Promise<FakeWorkshop> {
  const driver = new FakeDriver();
  const builders: FakeHost[] = [];
  let opened = 0;
  const basePath = join(folder, "base.qcow2");
  await program(["qemu-img", "create", "-q", "-f", "qcow2", basePath, "16M"], { run: quietRun() });
  const [store, workDir] = [join(folder, "images"), join(folder, "work")];
  await Promise.all([mkdir(store), mkdir(workDir)]);

  const shop: FakeWorkshop = {
    store,
    workDir,
    network: "default",
    renderTemplate: shippedTemplates,
    driver,
    builders,
    opened: () => opened,
    prepare: () => {},
    sealed: "SEALED",
    async openDriver() {
      opened += 1;
      return driver;
    },
    async bootGuest(plan) {
      const builder = emptyMachine();
      builders.push(builder);
      return bootFake(plan, builder, shop);
    },
    request: (changes = {}) => ({ ...someRequest(basePath), ...changes }),
    async leftovers() {
      const stored = await readdir(store, { recursive: true });
      return [...driver.domains.keys(), ...(await readdir(workDir)), ...stored.filter(isUnfinished)];
    },
  };
  return shop;
}

function isUnfinished(path: string): boolean {
  return path.includes(".partial") || path.endsWith("owner.json");
}

async function bootFake(plan: GuestPlan, builder: FakeHost, shop: FakeWorkshop): Promise<BootedGuest> {
  const { driver, folder, kept, role, run, user } = plan;
  run.signal.throwIfAborted();
  const console = join(folder, "console.log");
  const { mark } = someMachine();
  const machine = someMachine({
    console,
    mark: { ...mark, role, ...(kept && { files: kept.files, kept: kept.record }) },
  });
  const guest = await driver.boot(machine, run);
  builder.program("dpkg-query", () => ({ stdout: "curl\t8.14-1+b1\tamd64\tinstalled\n" }));
  builder.program("systemd-run", () => {
    const script = builder.files.read("/run/provision-seal.sh") ?? "";
    const nonce = /PROVISION ([0-9a-f]{16}) /.exec(script)?.[1];
    writeFileSync(console, `login:\r\nPROVISION ${nonce} ${shop.sealed}\r\n`);
  });
  shop.prepare(builder);
  return {
    guest,
    host: builder,
    user,
    hostKey: "ssh-ed25519 AAAA",
    loginKey: "ssh-ed25519 BBBB",
    console,
    address: "192.0.2.1",
    mac: "52:54:00:00:00:01",
    keyFile: join(folder, "key"),
    sshLine: `ssh ${user}@192.0.2.1`,
    [Symbol.asyncDispose]: () => guest[Symbol.asyncDispose](),
  };
}

function someRequest(basePath: string): BuildRequest {
  const params = { path: "/etc/motd", content: "hello\n" };
  return {
    name: "web",
    recipe: [
      { id: "file /etc/motd", task: file, params, where: { file: "specs/web.yaml", line: 3, column: 5 } },
    ],
    distribution: "debian-13",
    sources: sourcesOf(),
    inputs: {
      name: "web",
      base: "sha256:1",
      diskGiB: 1,
      readOnlyRoot: false,
      uses: [],
      materials: [],
      tools: [],
      drivers: [],
      code: "1",
    },
    tools: [],
    specs: [{ file: "specs/web.yaml", sha256: "0".repeat(64) }],
    needs: [],
    machine: { cpus: 1, memoryMiB: 512, diskGiB: 1 },
    readOnlyRoot: false,
    prepareMachine: async (run: Run) => run.signal.throwIfAborted(),
    prepareBase: async (run: Run): Promise<Base> => {
      run.signal.throwIfAborted();
      return {
        name: "debian-13",
        kind: "bootstrap",
        path: basePath,
        digest: "a".repeat(64),
        digestKind: "sha256",
        virtualBytes: 16 * 1024 ** 2,
        architecture: "amd64",
        distribution: "debian-13",
        key: "sha256:1",
        inputs: {},
        layout: "provision",
        cached: true,
      };
    },
    force: false,
    verify: false,
    keepOnError: false,
    provisionVersion: "0.1.0",
  };
}
