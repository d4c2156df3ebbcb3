import { describe, expect, it } from "vitest";

import { emptyHost } from "../../src/provisioner/core/empty-host.ts";
import type { DriverPin } from "../../src/provisioner/core/driver-pin.ts";
import { nvidiaDriver } from "../../src/tasks/nvidia-driver/index.ts";
import { emptyMachine, type FakeHost } from "../support/fake-host.ts";
import { someDriver } from "../support/some-driver.ts";
import { accepts, planned, refusal, settle, sourcesOf } from "../support/tasks.ts";

const pin = someDriver("nvidia").pins["debian-13"] as DriverPin;
const { kernel, version, module } = pin;
const built = [
  `kernel ${kernel}`,
  `module ${kernel} ${module} ${version} ${kernel}`,
  `dkms ${module}/${version}, ${kernel}, x86_64: installed`,
];
const apt = "--no-install-recommends --allow-downgrades";

/** A machine that answers the look by these lines, with all of the pin's packages but those left out. */
function machine(lines: readonly string[], without: readonly string[] = []): FakeHost {
  const host = emptyMachine();
  for (const item of pin.packages) {
    const [name = "", found = ""] = item.split("=");
    if (!without.includes(name)) host.packages.set(name, { version: found, status: "installed" });
  }
  host.program("provision-nvidia-look", () => ({
    stdout: [...lines, ""].join("\n"),
  }));
  host.units.install("nvidia-persistenced.service", { enabled: true });
  return host;
}

const whats = (plan: readonly (readonly [string, ...unknown[]])[]) => plan.map(([what]) => what);
const onlyFiles = [
  "/etc/modprobe.d/provision-nvidia.conf",
  "/etc/modules-load.d/nvidia.conf",
  "/etc/systemd/system/nvidia-persistenced.service.d/provision.conf",
  "/etc/udev/rules.d/90-provision-nvidia.rules",
];

describe("nvidia-driver", () => {
  it("installs the pinned versions and builds the module, with everything of ours in place before", async () => {
    const host = emptyMachine();

    await settle(nvidiaDriver, {}, host);

    const runs = host.journal.filter((line) => line.startsWith("run provision-nvidia"));
    expect(runs[0]).toBe(
      `run provision-nvidia 600 1440 ${module} ${version} ${kernel} removed ${apt} ${pin.packages.join(" ")}`,
    );
    const first = host.journal.indexOf(runs[0] ?? "");
    for (const path of onlyFiles) expect(host.journal.indexOf(`write ${path}`)).toBeLessThan(first);
    expect(await settle(nvidiaDriver, {}, host)).toMatchObject({ changed: 0, flights: 1 });
  });

  it("has nothing to do on the packages and the module of a base that has them", async () => {
    expect(whats(await planned(nvidiaDriver, {}, machine(built)))).toEqual(onlyFiles);
  });

  it("puts its own list of modules in place of the packages' link to theirs", async () => {
    const host = machine(built);
    host.files.symlink("/etc/modules-load.d/nvidia.conf", "/etc/alternatives/glx--nvidia-load.conf");

    await settle(nvidiaDriver, {}, host);

    expect(host.files.stat("/etc/modules-load.d/nvidia.conf")?.type).toBe("file");
  });

  it("says package by package what is not as pinned", async () => {
    const host = machine(built, ["nvidia-kernel-dkms"]);
    host.packages.set("linux-headers-6.12.1+deb13-cloud-amd64", { version: "6.12.0-1", status: "installed" });

    const plan = await planned(nvidiaDriver, {}, host);

    expect(plan.find(([what]) => what === "packages")).toEqual([
      "packages",
      "linux-headers-6.12.1+deb13-cloud-amd64 6.12.0-1\nnvidia-kernel-dkms absent",
      "linux-headers-6.12.1+deb13-cloud-amd64 6.12.1-1\nnvidia-kernel-dkms 5.0.1-2",
    ]);
  });

  it.each<[string, readonly string[], string | undefined]>([
    [
      "is only added",
      [`kernel ${kernel}`, `dkms ${module}/${version}: added`],
      `${module} ${version}, added`,
    ],
    [
      "is built, and not installed",
      [`kernel ${kernel}`, `dkms ${module}/${version}, ${kernel}, x86_64: built`],
      `${module} ${version}, built`,
    ],
    ["is not there", [`kernel ${kernel}`], undefined],
    [
      "is of another version",
      [`kernel ${kernel}`, `module ${kernel} ${module} 4.0 ${kernel}`],
      `${module} 4.0 for ${kernel}, unknown to dkms`,
    ],
    [
      "says that it is for another kernel",
      [`kernel ${kernel}`, `module ${kernel} ${module} ${version} 6.11.9`, ...built.slice(2)],
      `${module} ${version} for 6.11.9, installed`,
    ],
    [
      "is built for another kernel alone",
      [`kernel ${kernel}`, `dkms ${module}/${version}, 6.11.9-amd64, x86_64: installed`],
      undefined,
    ],
  ])("builds a module that %s", async (_what, lines, from) => {
    const host = machine(lines);

    const plan = await planned(nvidiaDriver, {}, host);

    expect(plan.find(([what]) => what === `module for ${kernel}`)).toEqual([
      `module for ${kernel}`,
      from,
      `${module} ${version} for ${kernel}, installed`,
    ]);
  });

  it("takes dkms' remark about a module of the kernel's own for no other state", async () => {
    const remark = `dkms ${module}/${version}, ${kernel}, x86_64: installed (Original modules exist)`;

    expect(whats(await planned(nvidiaDriver, {}, machine([...built.slice(0, 2), remark])))).toEqual(
      onlyFiles,
    );
  });

  it("removes the key that dkms left, unless it is to be kept", async () => {
    const keys = ["key /var/lib/dkms/mok.key", "key /var/lib/dkms/mok.pub"];
    const host = machine([...built, ...keys]);

    const plan = await planned(nvidiaDriver, {}, host);

    expect(plan.at(-1)).toEqual(["key of dkms", "/var/lib/dkms/mok.key\n/var/lib/dkms/mok.pub", undefined]);
    expect(whats(await planned(nvidiaDriver, { signingKey: "kept" }, host))).toEqual(onlyFiles);
  });

  it("starts the daemon at boot, or keeps it from that", async () => {
    const host = machine(built);

    expect((await planned(nvidiaDriver, { persistence: false }, host)).at(-1)).toEqual([
      "nvidia-persistenced.service at boot",
      "enabled",
      "disabled",
    ]);
    host.units.install("nvidia-persistenced.service");
    expect((await planned(nvidiaDriver, {}, host)).at(-1)).toEqual([
      "nvidia-persistenced.service at boot",
      "disabled",
      "enabled",
    ]);
  });

  it("wants the daemon by the device only when it is wanted", async () => {
    const rules = async (params: { persistence?: boolean }) =>
      (await planned(nvidiaDriver, params, machine(built))).find(([what]) => what === onlyFiles[3])?.[2];

    expect(await rules({})).toContain('{"persistence":true}');
    expect(await rules({ persistence: false })).toContain('{"persistence":false}');
  });

  it("fails with the end of the compiler's log", async () => {
    const host = machine([`kernel ${kernel}`], ["nvidia-kernel-dkms"]);
    const stderr = [
      "Error! Bad return status for module build on kernel: 6.12.118+deb13-cloud-amd64 (x86_64)",
      "From /var/lib/dkms/nvidia-current-open/550.163.01/build/make.log:",
      "nvidia/nv-pci.c:237:9: error: too few arguments to function 'pci_resize_resource'",
    ].join("\n");
    host.program("provision-nvidia", () => ({ code: 100, stderr }));

    await expect(settle(nvidiaDriver, {}, host)).rejects.toMatchObject({
      code: "ACTION_FAILED",
      message: expect.stringContaining("error: too few arguments to function 'pci_resize_resource'"),
    });
  });

  it("compiles detached, without questions, in bounded time", () => {
    const state = { ...someState(), versions: new Map() };

    const actions = nvidiaDriver.plan({ timeoutMinutes: 5 }, state).flatMap((change) => change.actions);

    expect(actions.filter((action) => action.kind === "run" && action.detached)).toMatchObject([
      { timeoutMs: 300_000, command: { env: { DEBIAN_FRONTEND: "noninteractive" } } },
      { timeoutMs: 300_000 },
    ]);
  });

  it("can be planned where there is no machine yet", async () => {
    const plan = await planned(nvidiaDriver, {}, emptyHost());

    expect(whats(plan)).toEqual([
      ...onlyFiles,
      "packages",
      `module for ${kernel}`,
      "nvidia-persistenced.service at boot",
    ]);
  });
});

describe("nvidia-driver with a device", () => {
  const gpu = ["device 0000:00:04.0", `running ${kernel}`];

  it("loads the driver and proves it by nvidia-smi", async () => {
    const host = machine([...built, ...gpu]);
    host.program("nvidia-smi", () => {
      host.program("provision-nvidia-look", () => ({
        stdout: [...built, ...gpu, `answers ${version}`, ""].join("\n"),
      }));
    });

    await settle(nvidiaDriver, {}, host);

    expect(host.journal.slice(-3)).toEqual([
      "run modprobe nvidia",
      "run nvidia-smi",
      "run systemctl start nvidia-persistenced.service",
    ]);
  });

  it("is proved already when the pinned version answers", async () => {
    const host = machine([...built, ...gpu, `answers ${version}`]);
    host.units.install("nvidia-persistenced.service", { enabled: true, active: "active" });

    expect(whats(await planned(nvidiaDriver, {}, host))).toEqual(onlyFiles);
  });

  it("loads nothing while another kernel runs, for which there is no module", async () => {
    const host = machine([...built, "device 0000:00:04.0", "running 6.1.0-1-amd64"]);

    expect(whats(await planned(nvidiaDriver, {}, host))).toEqual(onlyFiles);
  });

  it.each([
    ["4.0", /its loaded driver must be 5\.0\.1, is 4\.0; reboot/],
    ["No devices were found", /its device must answer nvidia-smi, says: No devices were found; reboot/],
  ])("refuses to go on when it answers %j", async (answer, reason) => {
    const host = machine([...built, ...gpu, `answers ${answer}`]);

    await expect(settle(nvidiaDriver, {}, host)).rejects.toMatchObject(refusal(reason));
  });
});

describe("nvidia-driver refuses", () => {
  it.each<[string, readonly string[], RegExp]>([
    [
      "a kernel that is not the pinned one",
      ["kernel 6.12.117+deb13-cloud-amd64"],
      /its kernel must be 6\.12\.1\+deb13-cloud-amd64, .* there is 6\.12\.117\S*; start from the base debian-13-nvidia/,
    ],
    [
      "another kernel beside the pinned one",
      [...built, "kernel 6.1.0-1-amd64"],
      /boot 6\.12\.1\+deb13-cloud-amd64, then `apt-get purge linux-image-6\.1\.0-1-amd64`/,
    ],
  ])("%s", async (_what, lines, reason) => {
    await expect(settle(nvidiaDriver, {}, machine(lines))).rejects.toMatchObject(refusal(reason));
  });

  it("a distribution that it is not pinned for", async () => {
    const host = machine(built);
    host.files.write("/etc/os-release", 'ID=ubuntu\nVERSION_ID="24.04"\n');

    await expect(settle(nvidiaDriver, {}, host)).rejects.toMatchObject(
      refusal(/must pin nvidia for ubuntu-24\.04, pins it for debian-13; add it under drivers\.nvidia/),
    );
  });

  it("a flavour that is not the pinned one, and takes the one that is", async () => {
    const open = { ...sourcesOf(), driver: async () => someDriver("nvidia", { flavour: "open" }) };

    await expect(settle(nvidiaDriver, { flavour: "open" }, emptyMachine())).rejects.toMatchObject(
      refusal(/must be the open one, versions\.yaml pins the proprietary one/),
    );
    await settle(nvidiaDriver, { flavour: "open" }, emptyMachine(), { sources: open });
  });

  it("a machine that cannot tell what it has", async () => {
    const host = machine(built);
    host.program("provision-nvidia-look", () => ({ code: 2, stderr: "sh: cannot fork" }));

    await expect(settle(nvidiaDriver, {}, host)).rejects.toMatchObject(
      refusal(/its machine must say what it has, does not: sh: cannot fork/),
    );
  });

  it.each([{ flavour: "free" }, { persistence: "yes" }, { signingKey: "gone" }, { timeoutMinutes: 0 }])(
    "%j",
    (params) => {
      expect(accepts(nvidiaDriver, params)).toBe(false);
    },
  );
});

function someState(): Parameters<typeof nvidiaDriver.plan>[1] {
  return {
    driver: someDriver("nvidia"),
    distribution: "debian-13",
    found: {
      running: undefined,
      kernels: [],
      modules: [],
      dkms: new Map(),
      keys: [],
      hasDevice: false,
      answer: undefined,
    },
    versions: new Map(),
    unit: { load: "loaded", active: "inactive", enabled: "enabled", needsReload: false },
    texts: [],
  };
}
