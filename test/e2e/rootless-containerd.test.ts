import { mkdir, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";

import { baseSettings } from "../../src/provisioner/image/base-settings.ts";
import { imageOfBusybox } from "../support/busybox-image.ts";
import { eventsOf, launch, type LaunchedRun } from "../support/launcher.ts";
import { rootlessTree, treePackages } from "../support/rootless-tree.ts";
import { startSystemdHost, type SystemdHost, whyNoSystemdHost } from "../support/systemd-host.ts";
import { systemdRoot } from "../support/systemd-root.ts";
import { openToolProject, type ToolProject } from "../support/tool-project.ts";

const why = whyNoSystemdHost();
const { cacheDir } = baseSettings({ env: process.env, home: homedir(), isRoot: true });

const skipped =
  why ?? "a reboot, limits by control groups and the kernel's overlay, which need a kernel of their own";

// One host: what is done to it is done in this order.
describe.skipIf(why !== undefined)(`rootless-containerd (skipped: ${skipped})`, { shuffle: false }, () => {
  let root: string;
  let host: SystemdHost;
  let project: ToolProject;

  beforeAll(async () => {
    root = await systemdRoot(cacheDir, {
      suite: "trixie",
      packages: treePackages,
      // Root's own, which each user's takes the place of.
      hooks: ['ln -s /dev/null "$1/etc/systemd/system/containerd.service"'],
    });
    host = await startSystemdHost(root);
    project = await openToolProject();
    await host.sh(`
      mkdir /dev/net && mknod -m 666 /dev/net/tun c 10 200
      # A container may only have a /proc when there is one that nothing is laid over.
      mkdir /srv/proc && mount -t proc proc /srv/proc
      useradd --create-home alice && useradd --create-home bob`);
  });

  afterAll(async () => {
    await project[Symbol.asyncDispose]();
    await host[Symbol.asyncDispose]();
  });

  /** Settles a use of the task. */
  async function apply(params: object, ...more: readonly string[]): Promise<LaunchedRun> {
    await mkdir(join(project.home, "specs"), { recursive: true });
    const spec = { base: "debian-13", tasks: [{ "rootless-containerd": params }] };
    await writeFile(join(project.home, "specs/web.yaml"), stringify(spec));
    return launch(["apply", "--spec", "web", ...host.login, ...more], {
      env: { PROVISION_HOME: project.home, PROVISION_CACHE: join(project.home, "cache") },
    });
  }

  /** Runs a script as a user, as if they were logged in. */
  async function as(user: string, script: string): Promise<string> {
    await writeFile(join(host.root, `tmp/${user}.sh`), script);
    return host.sh(`
      id=$(id -u ${user})
      runuser -u ${user} -- env -i HOME=/home/${user} PATH=/home/${user}/.local/bin:/usr/bin:/bin:/usr/sbin \
        XDG_RUNTIME_DIR=/run/user/$id sh -eu /tmp/${user}.sh </dev/null`);
  }

  const states = (user: string) =>
    as(user, `systemctl --user is-active containerd bypass4netnsd buildkit || :`);
  const inside = (script: string) =>
    as("alice", `cd; containerd-rootless-setuptool.sh nsenter -- sh -eu -c '${script}'`);

  it("says what is missing, with what mends it, and changes nothing", async () => {
    await project.pin(await rootlessTree(root, "1.0"));
    const nobody = await apply({ user: "carol" });
    await host.sh("mv /etc/subuid /etc/subuid.away");
    const numberless = await apply({ user: "alice" });
    await host.sh("mv /etc/subuid.away /etc/subuid");

    expect(refusalOf(nobody)).toMatch(/"carol" must be a user, is none; add `user: \{name: carol\}`/);
    expect(refusalOf(numberless)).toMatch(
      /numbers in \/etc\/subuid, has none; add `subuid: \{user: alice\}`/,
    );
    expect(await host.sh("ls -A /home/alice/.local /var/lib/systemd/linger 2>/dev/null || :")).not.toContain(
      "alice",
    );
  });

  it("sets it up as the user, and finds it as wanted in one flight", async () => {
    const first = await apply({ user: "alice", buildkit: true });
    const second = await apply({ user: "alice", buildkit: true });

    expect(outcome(first)).toEqual([0, []]);
    expect([outcome(second), summary(second)]).toEqual([
      [0, []],
      expect.objectContaining({ changed: 0, flights: 1 }),
    ]);
    expect(await states("alice")).toBe("active\nactive\nactive");
    expect(await as("alice", "nerdctl")).toBe("nerdctl 1.0");
    expect(await host.sh("find /home/alice ! -user alice; ls /var/lib/provision/incoming")).toBe("");
    expect(await host.sh("systemctl list-units --failed --plain --no-legend")).toBe("");
  });

  it("runs a container of the user's, with all of it in the home", async () => {
    await as("alice", imageOfBusybox);

    const map = await inside(
      "ctr image import --snapshotter native hello.tar >/dev/null; " +
        'ctr run --rm --snapshotter native --cpu-shares 0 --cgroup "" docker.io/local/hello:latest hello ' +
        "/bin/busybox cat /proc/self/uid_map",
    );

    const [uid, range] = await Promise.all([
      host.sh("id -u alice"),
      host.sh("sed -n s/^alice://p /etc/subuid"),
    ]);
    const [start, count] = range.split(":");
    expect(map.split("\n").map((line) => line.trim().split(/\s+/))).toEqual([
      ["0", uid, "1"],
      ["1", start, count],
    ]);
    expect(await host.sh("ls /home/alice/.local/share/containerd")).toContain(
      "io.containerd.content.v1.content",
    );
    expect(await host.sh("ls -A /var/lib/containerd /run/containerd 2>/dev/null || :")).toBe("");
  });

  it("upgrades: what runs is of the new version, images stay", async () => {
    await project.pin(await rootlessTree(root, "2.0"));

    const upgraded = await apply({ user: "alice" });
    const again = await apply({ user: "alice" });

    expect(outcome(upgraded)).toEqual([0, []]);
    expect(eventsOf(upgraded, "use-ended")[0]?.changes.map(({ what, from, to }) => [what, from, to])).toEqual(
      [
        ["nerdctl", "1.0", "2.0"],
        ["containerd.service", "1.0, enabled, active", "2.0, enabled, active"],
        ["bypass4netnsd.service", "1.0, enabled, active", "2.0, enabled, active"],
        ["buildkit.service", "1.0, enabled, active", "2.0, enabled, active"],
      ],
    );
    expect(summary(again)).toMatchObject({ changed: 0, flights: 1 });
    const running = await as(
      "alice",
      `for unit in containerd bypass4netnsd; do
        readlink "/proc/$(systemctl --user show --property=MainPID --value $unit)/exe"
      done
      systemctl --user show --property=Description --value containerd bypass4netnsd buildkit | sed /^$/d`,
    );
    expect(running.replaceAll(/-[0-9a-f]{12}/g, "").split("\n")).toEqual([
      "/home/alice/.local/share/provision/store/nerdctl/2.0/bin/rootlesskit",
      "/home/alice/.local/share/provision/store/nerdctl/2.0/bin/bypass4netnsd",
      "containerd.service of 2.0",
      "bypass4netnsd.service of 2.0",
      "buildkit.service of 2.0",
    ]);
    expect(await inside("ctr image ls --quiet")).toBe("docker.io/local/hello:latest");
  });

  it("comes up with the user's systemd, and mends what somebody stopped", async () => {
    await host.sh("systemctl restart user@$(id -u alice).service");
    // buildkit needs a containerd that is up, and is tried until there is one.
    for (const unit of ["containerd", "bypass4netnsd", "buildkit"]) {
      const isUp = `systemctl --user --quiet is-active ${unit}`;
      await as("alice", `timeout 120 sh -c 'until ${isUp}; do sleep 0.2; done'`);
    }
    const restarted = await apply({ user: "alice" });
    await as("alice", "systemctl --user disable --now bypass4netnsd");
    const mended = await apply({ user: "alice" });

    expect(summary(restarted)).toMatchObject({ changed: 0, flights: 1 });
    expect(eventsOf(mended, "use-ended")[0]?.changes).toMatchObject([
      { what: "bypass4netnsd.service", from: "2.0, disabled, inactive", to: "2.0, enabled, active" },
    ]);
    expect(await states("alice")).toBe("active\nactive\nactive");
  });

  it("takes buildkit away alone", async () => {
    const done = await apply({ user: "alice", buildkit: false });

    expect(outcome(done)).toEqual([0, []]);
    expect(await states("alice")).toBe("active\nactive\ninactive");
  });

  it("sets it up for a user who does not linger, and leaves nothing running", async () => {
    const first = await apply({ user: "bob", linger: false });
    const second = await apply({ user: "bob", linger: false });

    expect(outcome(first)).toEqual([0, []]);
    expect(summary(second)).toMatchObject({ changed: 0, flights: 1 });
    expect(await host.sh("pgrep -u bob || :; ls /var/lib/systemd/linger")).toBe("alice");
    await host.sh("systemctl start user@$(id -u bob).service");
    expect(await states("bob")).toBe("active\nactive\ninactive");
  });

  it("removes it, but for images and containers", async () => {
    const removed = await apply({ user: "alice", state: "absent" });
    const again = await apply({ user: "alice", state: "absent" });

    expect(outcome(removed)).toEqual([0, []]);
    expect(summary(again)).toMatchObject({ changed: 0, flights: 1 });
    expect(await states("alice")).toBe("inactive\ninactive\ninactive");
    expect(
      await host.sh("find /home/alice/.local /home/alice/.config ! -type d ! -path '*/share/containerd/*'"),
    ).toBe("");
    expect(await host.sh("ls /home/alice/.local/share")).toContain("containerd");
  });
});

const outcome = (done: LaunchedRun) => [done.exitCode, eventsOf(done, "error")];
const summary = (done: LaunchedRun) => eventsOf(done, "result")[0]?.data;

/** Why it was refused. */
function refusalOf(done: LaunchedRun): string {
  const [error] = eventsOf(done, "error");
  return `${error?.code} ${error?.message}`;
}
