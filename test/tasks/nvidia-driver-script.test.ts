import { execFile, execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { installScript } from "../../src/tasks/nvidia-driver/install-script.ts";
import { lookScript } from "../../src/tasks/nvidia-driver/look-script.ts";
import { readLook } from "../../src/tasks/nvidia-driver/look.ts";

let root: string;

/** A root with nothing of a driver, and programs in front of the machine's own. */
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "provision-nvidia-"));
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function file(path: string, text = ""): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

/** A program whose body sees its arguments, and whose calls are noted. */
function program(name: string, body: string): void {
  file(`bin/${name}`, `#!/bin/sh\necho "${name} $*" >> ${root}/calls\n${body}\n`);
  chmodSync(join(root, "bin", name), 0o755);
}

const calls = () => (existsSync(join(root, "calls")) ? readFileSync(join(root, "calls"), "utf8") : "");

function run(
  script: string,
  name: string,
  ...args: readonly string[]
): Promise<{ code: number; output: string }> {
  const env = { ...process.env, PATH: `${root}/bin:${process.env["PATH"]}`, LC_ALL: "C" };
  return new Promise((resolve) => {
    const child = execFile("/bin/sh", ["-c", script, name, ...args], { env }, (_, out, err) =>
      resolve({ code: child.exitCode ?? -1, output: out + err }),
    );
  });
}

// As dkms 3.2 and kmod 34 of Debian 13 print it.
const kernel = "6.12.118+deb13-cloud-amd64";
const status = `nvidia-current/550.163.01, ${kernel}, x86_64: installed`;
const modinfo = `
while [ $# -gt 1 ]; do
  case $1 in -b | -k) shift ;; -F) field=$2; shift ;; esac
  shift
done
[ "$1" = nvidia-current ] || { echo "modinfo: ERROR: Module $1 not found." >&2; exit 1; }
case $field in version) echo 550.163.01 ;; *) echo "${kernel} SMP preempt mod_unload modversions " ;; esac
`;

describe("the script that looks", () => {
  const look = async () => {
    const { code, output } = await run(
      lookScript(root),
      "provision-nvidia-look",
      "nvidia-current",
      "nvidia-open",
    );
    return readLook({ code, stdout: output, stderr: "" });
  };

  it("finds nothing on a machine without kernel, dkms and device", async () => {
    const running = execFileSync("uname", ["-r"], { encoding: "utf8" }).trim();

    expect(await look()).toEqual({
      running,
      kernels: [],
      modules: [],
      dkms: new Map(),
      keys: [],
      hasDevice: false,
      answer: undefined,
    });
  });

  it("finds kernels, modules, what dkms says, and the key it made", async () => {
    file(`lib/modules/${kernel}/kernel/fs/ext4.ko`);
    // Headers alone, or what a removed kernel left.
    file("lib/modules/6.12.117+deb13-cloud-amd64/build/Makefile");
    file("var/lib/dkms/mok.key");
    program("modinfo", modinfo);
    program("dkms", `echo "${status} (Original modules exist)"; echo "other/1.0: added"`);

    expect(await look()).toMatchObject({
      kernels: [kernel],
      modules: [{ kernel, module: "nvidia-current", version: "550.163.01", builtFor: kernel }],
      dkms: new Map([
        [`nvidia-current/550.163.01, ${kernel}`, "installed"],
        ["other/1.0", "added"],
      ]),
      keys: [`${root}/var/lib/dkms/mok.key`],
    });
  });

  it("passes over what dkms says beside its states", async () => {
    program(
      "dkms",
      'printf "\\nError! nvidia-current/550.163.01: Missing the module source directory or the symbolic link pointing to it.\\nManual intervention is required!\\n"; echo "nvidia-current/550.163.01: broken"',
    );

    expect((await look()).dkms).toEqual(new Map([["nvidia-current/550.163.01", "broken"]]));
  });

  it("asks no device that is not there, and none whose driver is not loaded", async () => {
    program("nvidia-smi", "echo 550.163.01");
    file("sys/bus/pci/devices/0000:00:02.0/vendor", "0x1af4\n");
    file("sys/bus/pci/devices/0000:00:02.0/class", "0x030000\n");
    // Its sound: a device of the vendor that is no GPU.
    file("sys/bus/pci/devices/0000:00:03.0/vendor", "0x10de\n");
    file("sys/bus/pci/devices/0000:00:03.0/class", "0x040300\n");

    expect((await look()).hasDevice).toBe(false);

    file("sys/bus/pci/devices/0000:00:04.0/vendor", "0x10de\n");
    file("sys/bus/pci/devices/0000:00:04.0/class", "0x030200\n");

    expect(await look()).toMatchObject({ hasDevice: true, answer: undefined });
    expect(calls()).toBe("");
  });

  it("takes nvidia-smi's word, whatever it is, once the driver is loaded", async () => {
    file("sys/bus/pci/devices/0000:00:04.0/vendor", "0x10de\n");
    file("sys/bus/pci/devices/0000:00:04.0/class", "0x030200\n");
    file("proc/driver/nvidia/version", "NVRM version: …\n");
    program("nvidia-smi", "echo 550.163.01");

    expect((await look()).answer).toBe("550.163.01");

    program("nvidia-smi", 'echo "No devices were found"; exit 6');

    expect((await look()).answer).toBe("No devices were found");
  });
});

describe("the script that installs", () => {
  const install = (...apt: readonly string[]) => settle("removed", ...apt);
  const settle = (key: string, ...apt: readonly string[]) =>
    run(
      installScript(root),
      "provision-nvidia",
      "0",
      "60",
      "nvidia-current",
      "550.163.01",
      kernel,
      key,
      ...apt,
    );

  beforeEach(() => {
    program("apt-get", "exit 0");
    program("dpkg", "exit 0");
    program("dkms", `[ "$1" != status ] || echo "${status}"`);
    file("var/lib/dkms/mok.key");
    file("var/lib/dkms/mok.pub");
  });

  it("leaves the building to the packages, which do it by themselves, and no key", async () => {
    const { code } = await install("nvidia-kernel-dkms=550.163.01-2");

    expect(code).toBe(0);
    expect(calls()).toMatch(/apt-get .* install nvidia-kernel-dkms=550\.163\.01-2\n/);
    expect(calls()).not.toContain("dkms install");
    expect(existsSync(join(root, "var/lib/dkms/mok.key"))).toBe(false);
    expect(existsSync(join(root, "var/lib/dkms/mok.pub"))).toBe(false);
  });

  it("keeps the key where that is asked", async () => {
    await settle("kept", "nvidia-kernel-dkms");

    expect(existsSync(join(root, "var/lib/dkms/mok.key"))).toBe(true);
  });

  it("builds what the packages did not, without apt when they are there", async () => {
    program("dkms", '[ "$1" != status ] || echo "nvidia-current/550.163.01: added"');

    const { code } = await install();

    expect(code).toBe(0);
    expect(calls()).toContain(`dkms install nvidia-current/550.163.01 -k ${kernel}\n`);
    expect(calls()).not.toContain("apt-get");
  });

  it("ends with the errors and the end of the log when the build fails in apt, and leaves no key", async () => {
    const compiler = `  gcc-14 ${"-Wall ".repeat(500)}-c nv-pci.c`;
    const lines = [
      compiler,
      "/build/nvidia/nv-pci.c:237:9: error: too few arguments to function 'pci_resize_resource'",
      ...Array.from({ length: 40 }, (_, at) => `  CC [M]  nvidia/other-${at}.o ${compiler}`),
      "make[1]: *** [/usr/src/linux-headers/Makefile:1966: /build] Error 2",
      "make: *** [Makefile:80: modules] Error 2",
    ];
    file("var/lib/dkms/nvidia-current/550.163.01/build/make.log", lines.join("\n"));
    program(
      "apt-get",
      'case "$*" in *" install "*) echo "E: Sub-process /usr/bin/dpkg returned an error code (1)" >&2; exit 100 ;; esac',
    );

    const { code, output } = await install("nvidia-kernel-dkms");

    expect(code).toBe(100);
    expect(output).toContain("error: too few arguments to function 'pci_resize_resource'");
    expect(output.trimEnd()).toMatch(/make: \*\*\* \[Makefile:80: modules\] Error 2$/);
    // All of it must fit into what an error shows.
    expect(output.slice(output.indexOf("From ")).length).toBeLessThan(4096);
    expect(existsSync(join(root, "var/lib/dkms/mok.key"))).toBe(false);
  });

  it("ends with apt's own reason when nothing was built", async () => {
    program(
      "apt-get",
      "case \"$*\" in *install*) echo \"E: Version '1' for 'nvidia-kernel-dkms' was not found\" >&2; exit 100 ;; esac",
    );

    const { code, output } = await install("nvidia-kernel-dkms=1");

    expect(code).toBe(100);
    expect(output).toMatch(/was not found\n$/);
  });

  it("fails when dkms fails by itself", async () => {
    program("dkms", '[ "$1" = status ] || { echo "Error! Bad return status" >&2; exit 10; }');
    file("var/lib/dkms/nvidia-current/550.163.01/build/make.log", "fatal error: linux/x.h: No such file\n");

    const { code, output } = await install();

    expect(code).toBe(10);
    expect(output).toContain("fatal error: linux/x.h: No such file");
  });
});
