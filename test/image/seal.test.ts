import { execFile } from "node:child_process";
import { chmod, mkdir, readFile, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

import { beforeAll, beforeEach, describe, expect, it } from "vitest";

import { accountFiles, hygiene } from "../../src/provisioner/image/hygiene.ts";
import { stateLayout } from "../../src/provisioner/core/state-layout.ts";
import { sealScript } from "../../src/provisioner/image/seal.ts";
import { shippedTemplates } from "../support/bases.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

const { fstab, marker } = stateLayout;

/** What the script may use of the machine that tests it: programs that work on paths they are given. */
const real = ["sh", "cat", "find", "grep", "rm", "sed", "touch"];

/** The rest is played: most do nothing, these do something. */
const played: Readonly<Record<string, string>> = {
  id: 'grep -q "^builder:" "$TREE/etc/passwd" && echo 1000',
  // Its home, its lines; as shadow's does, but for subordinate ids.
  userdel: 'sed -i "/^builder:/d" "$TREE"/etc/passwd "$TREE"/etc/shadow "$TREE"/etc/group',
  pgrep: "exit 1",
};
const silent = ["apt-get", "auditctl", "cloud-init", "fstrim", "journalctl", "loginctl", "pkill", "sleep"];

let tree: string;
let bin: string;
let asked: string;
let found: (readonly [string, string])[];

beforeAll(async () => {
  found = await Promise.all(real.map(async (name) => [name, await whereIs(name)] as const));
});

beforeEach(async () => {
  const folder = await scratchFolder();
  [tree, bin, asked] = [join(folder, "tree"), join(folder, "bin"), join(folder, "asked")];
  await mkdir(bin);
  for (const [name, path] of found) await symlink(path, join(bin, name));
  for (const name of [...silent, "sync", "systemctl"]) await play(name, "exit 0");
  for (const [name, body] of Object.entries(played)) await play(name, body);
  await put("/dev/ttyS0", "");
  await put("/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
  await put("/etc/fstab", `${fstab.root.open}\n${fstab.state.open}\n`);
  for (const path of accountFiles) await put(path, "root:x:0:\nbuilder:x:1000:\n");
  await put("/etc/passwd", "root:x:0:0::/root:/bin/sh\nbuilder:x:1000:1000::/home/builder:/bin/bash\n");
  await put("/usr/bin/true", "");
  await put("/var/x", "");
});

function whereIs(name: string): Promise<string> {
  return promisify(execFile)("sh", ["-c", 'command -v "$1"', "sh", name]).then(({ stdout }) => stdout.trim());
}

async function play(name: string, body: string): Promise<void> {
  await writeFile(join(bin, name), `#!/bin/sh\necho "${name} $*" >>"${asked}"\n${body}\n`);
  await chmod(join(bin, name), 0o755);
}

async function put(path: string, content: string): Promise<void> {
  await mkdir(dirname(join(tree, path)), { recursive: true });
  await writeFile(join(tree, path), content);
}

function text(path: string): Promise<string> {
  return readFile(join(tree, path), "utf8");
}

function has(path: string): Promise<boolean> {
  return stat(join(tree, path)).then(
    () => true,
    () => false,
  );
}

const script = (readOnlyRoot = false) =>
  sealScript({
    user: "builder",
    nonce: "00ff",
    version: "20260101-1",
    readOnlyRoot,
    renderTemplate: shippedTemplates,
  });

/** Paths that are not below $under: this machine's own. */
function pathsOutside(told: string): readonly string[] {
  const bare = told
    .replaceAll(/^(#.*|at=".*"|for file in .*)$/gm, "")
    .replaceAll(/ # .*$|'[^'\n]*'|"\$under[^"\n]*"[^\s;]*|\/dev\/null/gm, "");
  return bare.match(/[^\w:]\/\w[^\s;]*/g) ?? [];
}

/** Seals the tree; gives the exit code and the last line that the console shows. */
async function seal(readOnlyRoot = false): Promise<{ readonly code: unknown; readonly said: string }> {
  const run = script(readOnlyRoot);
  if (pathsOutside(run).length > 0) throw new Error(`not run: it names ${pathsOutside(run).join()}`);
  const sealing = promisify(execFile)(join(bin, "sh"), ["-c", run, "seal", tree], {
    env: { PATH: bin, TREE: tree },
  });
  const code = await sealing.then(
    () => 0,
    (error: { code?: unknown }) => error.code,
  );
  return { code, said: (await text("/dev/ttyS0")).trim() };
}

describe("the seal", () => {
  it("names no path of the machine that it is tested on", () => {
    expect(pathsOutside(script(true))).toEqual([]);
    expect(pathsOutside('rm -rf -- "$under"/tmp/* /home/x')).toEqual([" /home/x"]);
  });

  it("says that it went through, and switches the machine off", async () => {
    expect(await seal()).toEqual({ code: 0, said: "PROVISION 00ff SEALED" });
    expect((await readFile(asked, "utf8")).trim().split("\n").at(-1)).toBe("systemctl --no-block poweroff");
  });
});

describe("the seal removes", () => {
  const patterns = hygiene.flatMap((item) => item.absent ?? []);
  const bare = hygiene.flatMap((item) => item.bare ?? []);
  const emptied = hygiene.flatMap((item) => item.noFilesBelow ?? []);
  const named = hygiene.flatMap(({ noNamesBelow: each }) =>
    each ? each.names.map((name) => `${each.below}/sub/x${name.slice(1)}`) : [],
  );
  const planted = (pattern: string) => pattern.replace("[!.]", "p").replace("*", "planted");
  const stays = [
    "/var/lib/provision/stamps/unit-x",
    "/etc/sub/x.conf",
    "/home",
    ...emptied.map((path) => `${path}/sub`),
  ];
  const goes = [
    ...patterns.map(planted),
    ...bare.map((path) => `${path}/builder/.bashrc`),
    ...emptied.map((path) => `${path}/sub/file`),
    ...named,
  ];

  it("all that its table names, and nothing else", async () => {
    for (const path of [...goes, ...stays.slice(0, 2)]) await put(path, "x");
    for (const path of hygiene.flatMap((item) => item.empty ?? [])) await put(path, "x");
    for (const path of accountFiles) await put(path, "root:x:0:\nbuilder:100000:65536\nbuilders:x:5:\n");
    const before = await Promise.all(goes.map(has));

    expect(await seal()).toMatchObject({ code: 0 });
    const after = await Promise.all(goes.map(has));
    expect([goes.filter((_, at) => !before[at]), goes.filter((_, at) => after[at])]).toEqual([[], []]);
    expect(await Promise.all(stays.map(has))).toEqual(stays.map(() => true));
    for (const path of hygiene.flatMap((item) => item.empty ?? [])) expect(await text(path)).toBe("");
    for (const path of accountFiles) expect(await text(path)).toBe("root:x:0:\nbuilders:x:5:\n");
  });
});

describe("the seal fails, and says where", () => {
  it.each([
    ["a group that still has the builder in it", () => put("/etc/group", "adm:x:4:syslog,builder\n")],
    ["a shadow group that still has it", () => put("/etc/gshadow", "adm:*:builder:\n")],
  ])("at %s", async (_, plant) => {
    await plant();

    expect(await seal()).toMatchObject({
      code: 1,
      said: expect.stringMatching(
        /SEAL-FAILED exit 1 at: \/etc\/g?s?h?a?d?o?w?g?r?o?u?p? still names builder/,
      ),
    });
    expect(await readFile(asked, "utf8")).not.toContain("poweroff");
  });

  it("at a builder that cannot be removed", async () => {
    await play("userdel", "exit 8");

    expect(await seal()).toMatchObject({
      said: "PROVISION 00ff SEAL-FAILED exit 1 at: builder cannot be removed",
    });
  });

  it("at a process of the builder that survives its killing", async () => {
    await play("pgrep", '[ "$1" = -U ]');

    expect(await seal()).toMatchObject({
      said: "PROVISION 00ff SEAL-FAILED exit 1 at: a process of builder does not end",
    });
    expect(await readFile(asked, "utf8")).toContain("pkill -KILL -U 1000");
  });

  it("at an fstab that is not the base's", async () => {
    await put("/etc/fstab", "/dev/vda1 / ext4 defaults 0 1\n");

    expect(await seal(true)).toMatchObject({
      said: "PROVISION 00ff SEAL-FAILED exit 1 at: switching the root to read-only",
    });
  });
});

describe("the seal stops auditd", () => {
  it.each([
    ["of version 4 by its own command", "exit 0", false],
    ["of version 3 by a signal", "exit 1", true],
  ])("%s", async (_, auditctl, isSignalled) => {
    await play("auditctl", auditctl);

    expect(await seal()).toMatchObject({ code: 0 });
    expect((await readFile(asked, "utf8")).includes("pkill -TERM -x auditd")).toBe(isSignalled);
  });

  it("and fails when it goes on writing", async () => {
    await play("pgrep", '[ "$1" = -x ]');

    expect(await seal()).toMatchObject({ said: "PROVISION 00ff SEAL-FAILED exit 1 at: auditd does not end" });
  });
});

describe("the switch to a read-only root", () => {
  it("changes the two lines of fstab and leaves the version where the initramfs looks", async () => {
    await put("/etc/fstab", `${fstab.root.open}\n${fstab.state.open}\ntmpfs /srv tmpfs size=1M 0 0\n`);

    expect(await seal(true)).toMatchObject({ code: 0 });
    expect(await text("/etc/fstab")).toBe(
      `${fstab.root.sealed}\n${fstab.state.sealed}\ntmpfs /srv tmpfs size=1M 0 0\n`,
    );
    expect(await text(marker)).toBe("20260101-1\n");
  });

  it("leaves no cache that systemd would renew at each boot", async () => {
    await put("/var/.updated", "old");
    await utimes(join(tree, "/var/.updated"), 1, 1);
    await utimes(join(tree, "/usr"), 1_700_000_000, 1_700_000_000);

    await seal(true);

    for (const path of ["/etc/.updated", "/var/.updated"]) {
      expect((await stat(join(tree, path))).mtimeMs).toBe(1_700_000_000_000);
    }
  });

  it("is left alone by an image that does not ask for it", async () => {
    await seal();

    expect([await has(marker), await text("/etc/fstab")]).toEqual([
      false,
      `${fstab.root.open}\n${fstab.state.open}\n`,
    ]);
  });
});
