import { beforeEach, describe, expect, it } from "vitest";

import { stateLayout } from "../../../src/provisioner/core/state-layout.ts";
import { checkGuest, type Seen } from "../../../src/provisioner/image/contract/check-guest.ts";
import type { Visit } from "../../../src/provisioner/image/contract/clause.ts";
import { contract } from "../../../src/provisioner/image/contract/contract.ts";
import { maintenanceSentence } from "../../../src/provisioner/image/maintenance.ts";
import { emptyMachine, type FakeHost } from "../../support/fake-host.ts";
import { quietRun } from "../../support/quiet-run.ts";

const identity = {
  user: "visitor",
  hostName: "verify-0a1b2c",
  hostKey: "ssh-ed25519 AAAA",
  loginKey: "ssh-ed25519 BBBB",
};
const seed = "/var/lib/systemd/random-seed";
const authorized = "/home/visitor/.ssh/authorized_keys";
const sectors = (gib: number) => gib * 2 ** 21;

let guest: FakeHost;
/** The whole of the state partition as the guest measures it. */
let measured: readonly number[];
/** Directories in which every write fails, whatever their mode says. */
let frozen: readonly string[];

beforeEach(() => {
  guest = goodGuest();
  frozen = [];
  measured = [sectors(12), sectors(8), sectors(4) - 2048, (sectors(4) - 2048) / 8, 4096];
});

/** A machine of a read-only image on its first boot, all as promised. */
function goodGuest(): FakeHost {
  const host = emptyMachine();
  for (const path of [
    "/etc/ssh",
    "/run/cloud-init",
    "/var/lib/systemd",
    "/home/visitor/.ssh",
    "/var/spool",
    "/var/tmp",
  ])
    host.files.directory(path);
  host.files.write("/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
  host.files.write("/etc/hostname", `${identity.hostName}\n`);
  host.files.write("/etc/ssh/ssh_host_ed25519_key.pub", `${identity.hostKey} root@builder\n`);
  host.files.write(
    "/etc/passwd",
    "root:x:0:0::/root:/bin/sh\nvisitor:x:1000:1000::/home/visitor:/bin/bash\n",
  );
  host.files.write(authorized, `# by cloud-init\n${identity.loginKey} provision\n`);
  host.files.write("/run/cloud-init/result.json", '{"v1":{"errors":[]}}');
  host.files.write("/run/cloud-init/status.json", '{"v1":{"stage":null}}');
  host.files.write(seed, "seed 0");
  host.files.symlink("/etc/resolv.conf", "../run/systemd/resolve/stub-resolv.conf");
  user(host, "visitor", 1000);
  host.mounts.set("/", { source: "/dev/vda2", fsType: "ext4", options: ["ro", "relatime"] });
  host.mounts.set("/etc", { source: "etc", fsType: "overlay", options: ["rw"] });
  const programs = {
    uname: () => ({ stdout: `${identity.hostName}\n` }),
    systemctl: (argv: readonly string[]) => ({ stdout: argv[1] === "is-system-running" ? "running\n" : "" }),
    "provision-host-keys": () => ({ stdout: "/etc/ssh/ssh_host_ed25519_key\n" }),
    touch: ([, path = ""]: readonly string[]) => ({
      code: 1,
      stderr: `touch: cannot touch '${path}': Read-only file system\n`,
    }),
    "provision-probe": ([, path = "", text = ""]: readonly string[]) => {
      const before = host.files.read(`${path}/.provision-verify`) ?? "";
      if (frozen.includes(path)) return { code: 2, stdout: `${before}\n`, stderr: "Read-only file system" };
      host.files.write(`${path}/.provision-verify`, text);
      return { stdout: `${before}\n${text}` };
    },
    "provision-measure": () => ({ stdout: measured.join("\n") }),
    "apt-get": () => ({ code: 100, stderr: `E: ${maintenanceSentence}\n` }),
    apt: () => ({ code: 100, stderr: `E: ${maintenanceSentence}\n` }),
    journalctl: () => ({ stdout: "-1 aaaa Mon—Mon\n 0 bbbb Mon—Mon\n" }),
    stat: () => ({ stdout: "100\n100\n" }),
  };
  for (const [name, program] of Object.entries(programs)) host.program(name, program);
  return host;
}

function user(host: FakeHost, name: string, uid: number): void {
  const entry = { uid, group: name, comment: "", home: `/home/${name}`, shell: "/bin/bash", groups: [] };
  host.users.set(name, { ...entry, isLocked: true });
}

/** What a reboot changes on a good machine. */
function reboot(): void {
  guest.files.write(seed, `${guest.files.read(seed)} and on`);
  for (const path of ["/tmp", "/var/tmp"]) guest.files.remove(`${path}/.provision-verify`);
}

async function look(boot: number, earlier?: Seen, readOnlyRoot = true) {
  const visit: Visit = { boot, identity };
  const { assertions, seen } = await checkGuest(guest, visit, {
    claims: { readOnlyRoot },
    earlier,
    run: quietRun(),
  });
  const broken = assertions.filter(({ against }) => against.length > 0);
  return { seen, promises: assertions.map(({ promise }) => promise), broken };
}

const answers = (name: string, stdout: string, code = 0) => guest.program(name, () => ({ code, stdout }));
const touches = (stderr: string, code: number) => guest.program("touch", () => ({ code, stderr }));

/** What would break each promise on the first boot, or before the first reboot is over. */
const breaches: readonly (readonly [promise: string, name: string, breach: () => void, found: RegExp])[] = [
  ["no-builder", "a builder", () => user(guest, "builder", 1001), /"builder" is a user/],
  [
    "resolver-at-boot",
    "a file",
    () => guest.files.write("/etc/resolv.conf", "nameserver 10.0.0.1"),
    /no link/,
  ],
  ["own-machine-id", "none", () => guest.files.write("/etc/machine-id", ""), /nothing/],
  ["given-host-name", "the kernel's", () => answers("uname", "localhost\n"), /localhost/],
  ["given-host-name", "the stored", () => guest.files.write("/etc/hostname", "debian\n"), /debian/],
  [
    "given-host-key",
    "another",
    () => guest.files.write("/etc/ssh/ssh_host_ed25519_key.pub", "ssh-ed25519 CCCC"),
    /CCCC/,
  ],
  ["given-host-key", "one more", () => answers("provision-host-keys", "/etc/ssh/ssh_host_rsa_key"), /rsa/],
  [
    "given-user",
    "a stranger",
    () => guest.files.write("/etc/passwd", "mallory:x:1001:1001::/:/bin/sh\n"),
    /mallory/,
  ],
  ["given-key", "none", () => guest.files.remove(authorized), /nothing/],
  [
    "given-key",
    "one more",
    () => guest.files.write(authorized, `${identity.loginKey}\nssh-rsa X\n`),
    /ssh-rsa/,
  ],
  [
    "no-failed-unit",
    "one",
    () =>
      guest.program("systemctl", ([, verb]) => ({
        stdout: verb === "list-units" ? "x.service loaded failed" : "degraded",
      })),
    /x\.service/,
  ],
  ["no-failed-unit", "a boot that does not end well", () => answers("systemctl", ""), /nothing/],
  ["cloud-init-done", "none", () => guest.files.remove("/run/cloud-init/result.json"), /not done/],
  [
    "cloud-init-done",
    "an error",
    () => guest.files.write("/run/cloud-init/result.json", '{"v1":{"errors":["netplan"]}}'),
    /netplan/,
  ],
  ["own-random-seed", "none", () => guest.files.remove(seed), /there is none/],
  [
    "root-read-only",
    "rw",
    () => guest.mounts.set("/", { source: "x", fsType: "ext4", options: ["rw"] }),
    /rw/,
  ],
  ["root-refuses-writes", "a write", () => touches("", 0), /^\/: it was written/],
  ["root-refuses-writes", "another errno", () => touches("touch: Permission denied", 1), /Permission denied/],
  ["etc-overlay", "none", () => guest.mounts.delete("/etc"), /nothing mounted/],
  [
    "state-writable",
    "a mode that allows what the file system does not",
    () => (frozen = ["/var/lib"]),
    /\/var\/lib: Read-only file system/,
  ],
  [
    "state-writable",
    "something from before",
    () => guest.files.write("/home/.provision-verify", "old"),
    /"old"/,
  ],
  [
    "temporary-forgotten",
    "something from before",
    () => guest.files.write("/tmp/.provision-verify", "old"),
    /"old"/,
  ],
  [
    "state-fills-disk",
    "a partition as before",
    () => (measured = [sectors(14), ...measured.slice(1)]),
    /2049 MiB of the disk/,
  ],
  [
    "state-fills-disk",
    "a file system as before",
    () => (measured = [...measured.slice(0, 3), sectors(2) / 8, 4096]),
    /2047 MiB of its partition/,
  ],
  ["state-fills-disk", "no answer", () => answers("provision-measure", ""), /cannot be measured/],
  ["apt-refused", "an apt that tries", () => answers("apt", "", 0), /exit 0/],
  ["apt-refused", "an obscure death", () => answers("apt-get", "", 100), /exit 100/],
  ["no-caches-due", "a cache to renew", () => answers("stat", "100\n99\n"), /\/usr 100/],
  ["no-caches-due", "no answer", () => guest.withoutProgram("stat"), /cannot be known: stat: not found/],
];

/** What only a reboot can show. */
const losses: readonly (readonly [promise: string, name: string, breach: () => void, found: RegExp])[] = [
  ["own-machine-id", "another", () => guest.files.write("/etc/machine-id", "f".repeat(32)), /ffff/],
  ["given-user", "another uid", () => user(guest, "visitor", 1001), /uid 1001, before 1000/],
  ["own-random-seed", "the same", () => guest.files.write(seed, "seed 0"), /the boot before/],
  [
    "state-writable",
    "nothing kept",
    () => guest.files.remove("/home/.provision-verify"),
    /\/home: from before there is ""/,
  ],
  [
    "temporary-forgotten",
    "all kept",
    () => guest.files.write("/tmp/.provision-verify", `${identity.hostName} at boot 0`),
    /from before/,
  ],
  ["journal-kept", "this boot alone", () => answers("journalctl", " 0 bbbb Mon—Mon\n"), /1 boots/],
];

describe("a machine of the image", () => {
  it("keeps every promise on its first boot and after a reboot, asked in one flight each", async () => {
    const first = await look(0);
    const flights = guest.flights;
    reboot();
    const second = await look(1, first.seen);

    expect([first.broken, second.broken]).toEqual([[], []]);
    // One to see that it is up, one for everything.
    expect([flights, guest.flights - flights]).toEqual([2, 2]);
  });

  it.each(breaches)("breaks %s by %s", async (promise, _, breach, found) => {
    breach();

    const { broken } = await look(0);

    expect(broken.map((each) => each.promise)).toEqual([promise]);
    expect(broken.flatMap(({ against }) => against).join("\n")).toMatch(found);
  });

  it.each(losses)("breaks %s after a reboot by %s", async (promise, _, breach, found) => {
    const first = await look(0);
    reboot();
    breach();

    const { broken } = await look(1, first.seen);

    expect(broken.map((each) => each.promise)).toEqual([promise]);
    expect(broken.flatMap(({ against }) => against).join("\n")).toMatch(found);
  });

  it("has a breach here for each promise that a guest is held to", () => {
    const broken = new Set([...breaches, ...losses].map(([promise]) => promise));

    expect([...broken].toSorted()).toEqual(
      contract.flatMap(({ id, guest: check }) => (check ? [id] : [])).toSorted(),
    );
  });

  it("is asked nothing about a read-only root that its image does not claim", async () => {
    const { promises } = await look(0, undefined, false);

    expect(promises).toContain("own-machine-id");
    expect(promises).not.toContain("root-read-only");
  });

  it("may be asked twice when the connection is lost", async () => {
    guest.loseAt(2, 0);

    expect((await look(0)).broken).toEqual([]);
  });

  it("is asked once it is up", async () => {
    const states = ["starting\n", "running\n", "running\n"];
    guest.program("systemctl", ([, verb]) => ({
      stdout: verb === "list-units" ? "" : (states.shift() ?? ""),
    }));

    expect((await look(0)).broken).toEqual([]);
  });
});

describe("the contract", () => {
  it("names each promise once, by an id that scripts can hold on to", () => {
    const ids = contract.map(({ id }) => id);

    expect(ids).toEqual([...new Set(ids)]);
    expect(ids.filter((id) => !/^[a-z]+(-[a-z]+)*$/.test(id))).toEqual([]);
    expect(contract.filter(({ files, guest: check }) => !files && !check)).toEqual([]);
  });

  it("moves all that a read-only root needs to keep", () => {
    const { what = "" } = contract.find(({ id }) => id === "state-writable") ?? {};

    for (const path of stateLayout.moved) expect(what).toContain(path);
  });
});
