import { mkdtemp, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { runProgram } from "../../src/provisioner/cli/program.ts";
import { baseSettings } from "../../src/provisioner/image/base-settings.ts";
import { fakeShell } from "../support/fake-shell.ts";
import { launch } from "../support/launcher.ts";
import { maintainGuest } from "../support/maintain-guest.ts";
import { startSystemdHost, type SystemdHost, whyNoSystemdHost } from "../support/systemd-host.ts";
import { systemdRoot } from "../support/systemd-root.ts";

const why = whyNoSystemdHost();
const { cacheDir } = baseSettings({ env: process.env, home: homedir(), isRoot: true });

// One machine with a real systemd, whose root is read-only between the tests.
describe.skipIf(why !== undefined)(
  `provision maintain${why === undefined ? "" : ` (skipped: ${why})`}`,
  () => {
    let home: string;
    let host: SystemdHost;
    let login: readonly string[];

    beforeAll(async () => {
      home = await mkdtemp(join(tmpdir(), "provision-maintain-"));
      host = await startSystemdHost(await systemdRoot(cacheDir), { sizeGiB: 1 });
      const [, target = "", ...rest] = host.login;
      login = [target, ...rest];
      await host.sh(`
      echo 'root / overlay ro 0 0' >/etc/fstab
      for place in /tmp /var/log; do mount -t tmpfs tmp $place; done
      systemctl restart systemd-journald
      for try in 1 2 3 4 5 6 7 8 9; do mount -o remount,ro / && exit; sleep 0.3; done
      exit 1`);
    });

    afterEach(async () => {
      await host.sh("systemctl stop holding 2>/dev/null || true");
      await provision("maintain", ...login, "--close");
    });

    afterAll(async () => {
      await host[Symbol.asyncDispose]();
      await rm(home, { recursive: true });
    });

    async function provision(...args: string[]) {
      const shell = fakeShell(home);
      const exitCode = await runProgram(args, shell).catch((error: { exitCode: number }) => error.exitCode);
      return { exitCode, out: shell.out.join(""), err: shell.err.join("") };
    }

    /** Something that keeps a file open as descriptor 9. */
    async function hold(command: string): Promise<void> {
      await host.sh(`systemd-run --quiet --unit=holding ${command}`);
      await until(() =>
        host.sh("ls /proc/[0-9]*/fd/9 -l | grep -c /usr/ || true").then((count) => count !== "0"),
      );
    }

    const isReadOnly = async () => (await host.sh("findmnt -no OPTIONS /")).split(",").includes("ro");
    const isArmed = () =>
      host
        .sh("systemctl is-active provision-maintenance-end.timer || true")
        .then((text) => text === "active");

    it("runs a command as root on a writable root, shows what it prints, and closes", async () => {
      const line = 'id -u; touch /usr/worked; echo "args: $*"; echo $HOME ${HOME} 100% >&2';
      const { exitCode, out, err } = await provision(
        "maintain",
        ...login,
        "--",
        "sh",
        "-c",
        line,
        "x",
        "a b",
        "$PATH",
      );

      expect({ exitCode, err }).toMatchObject({ exitCode: 0 });
      expect(err).toMatch(/\| 0\n.*\| args: a b \$PATH\n.*\| \/root \/root 100%\n/s);
      expect(out).toMatch(/: done, root is read-only again\n$/);
      expect(await host.sh("ls /usr/worked")).toBe("/usr/worked");
      expect(await isReadOnly()).toBe(true);
      expect(await isArmed()).toBe(false);
    });

    it("lets apt install a package", async () => {
      const maintained = await maintainGuest(login, "hello", (script) => host.sh(script));

      expect(maintained).toEqual({ exitCode: 0, errors: [], found: "installed ro" });
    });

    it("ends 5 with the command's code and last words, and closes", async () => {
      const { exitCode, err } = await provision(
        "maintain",
        ...login,
        "--",
        "sh",
        "-c",
        "echo E: no such package >&2; exit 42",
      );

      expect(exitCode).toBe(5);
      expect(err).toMatch(/error MAINTENANCE_FAILED .*must exit 0, is 42\n {2}E: no such package\n/s);
      expect(await isReadOnly()).toBe(true);
    });

    it("ends what a command leaves behind, which would keep root open", async () => {
      const line = "exec 9>/usr/held; setsid sleep 1000 & exit 0";
      const { exitCode, err } = await provision("maintain", ...login, "--", "sh", "-c", line);

      expect({ exitCode, err }).toMatchObject({ exitCode: 0 });
      expect(await isReadOnly()).toBe(true);
    });

    it("stays open without a command, tells the second one, and closes at once on demand", async () => {
      const opened = await provision("maintain", ...login, "--for", "10");
      const second = await provision("maintain", ...login, "--", "true");
      const checked = await provision("maintain", ...login, "--check");
      const wasOpen = !(await isReadOnly()) && (await isArmed());
      const closed = await provision("maintain", ...login, "--close");
      const after = await provision("maintain", ...login, "--check");

      expect(opened).toMatchObject({ exitCode: 0 });
      expect(opened.out).toContain("root is writable for 10 min");
      expect(wasOpen).toBe(true);
      expect(second).toMatchObject({
        exitCode: 7,
        err: expect.stringMatching(
          /error WINDOW_OPEN .*by alice@desk, process 1234, for 10 minutes more/s,
        ) as string,
      });
      expect(checked).toMatchObject({
        exitCode: 3,
        out: expect.stringContaining("a maintenance window is open, by alice@desk") as string,
      });
      expect(closed).toMatchObject({
        exitCode: 0,
        out: expect.stringContaining("closed, root is read-only again") as string,
      });
      expect(after).toMatchObject({
        exitCode: 0,
        out: expect.stringContaining("no window is open") as string,
      });
      expect(await isReadOnly()).toBe(true);
      expect(await isArmed()).toBe(false);
    });

    it("says who keeps root open, ends 5, and closes by itself once that is gone", async () => {
      await provision("maintain", ...login);
      await hold("sh -c 'exec 9>/usr/held; exec sleep 1000'");

      const { exitCode, err } = await provision("maintain", ...login, "--close");
      const checked = await provision("maintain", ...login, "--check");
      await host.sh("systemctl stop holding; systemctl restart provision-maintenance-end");
      await until(isReadOnly);

      expect(exitCode).toBe(5);
      expect(err).toMatch(
        /error WINDOW_NOT_CLOSED .*holding\.service: sleep \(process \d+\) writes \/usr\/held\n {2}mend: Stop or restart/s,
      );
      expect(checked.exitCode).toBe(3);
    });

    it("names a program that goes on with a file that was replaced", async () => {
      await provision("maintain", ...login);
      await hold("sh -c 'echo text >/usr/replaced; exec 9</usr/replaced; rm /usr/replaced; exec sleep 1000'");

      const { exitCode, err } = await provision("maintain", ...login, "--close");

      expect(exitCode).toBe(5);
      expect(err).toMatch(
        /holding\.service: sleep \(process \d+\) still uses \/usr\/replaced, which was replaced/,
      );
    });

    it("closes by itself when its time is over, though the run that opened it was killed", async () => {
      let killed = false;
      const dead = await launch(["maintain", ...login, "--for", "1", "--", "sleep", "1000"], {
        seen: (event, pid) => {
          if (killed || event.kind !== "step-started" || event.title !== "Work in it") return;
          killed = true;
          process.kill(-pid, "SIGKILL");
        },
      });
      const wasOpen = !(await isReadOnly());
      // What the timer does when it elapses; a minute is long to wait.
      await host.sh("systemctl start provision-maintenance-end.service");

      await until(isReadOnly);

      expect(dead.exitCode).toBeUndefined();
      expect(wasOpen).toBe(true);
      expect(await host.sh("systemctl is-active provision-maintenance-work || true")).toBe("inactive");
    });

    it("is closed by the machine's timer, with nobody connected", async () => {
      await provision("maintain", ...login, "--", "true");
      await host.sh("sh /run/provision-maintenance/script open 2 alice");
      const wasOpen = !(await isReadOnly());
      await until(isReadOnly);

      const checked = await provision("maintain", ...login, "--check");

      expect(wasOpen).toBe(true);
      expect(checked).toMatchObject({
        exitCode: 0,
        out: expect.stringContaining("no window is open") as string,
      });
    });

    it("closes on Ctrl-C, and the command ends", async () => {
      const shell = fakeShell(home);
      const running = runProgram(["maintain", ...login, "--", "sh", "-c", "echo at work; exec sleep 1000"], {
        ...shell,
        stderr: {
          isTTY: false,
          write(text) {
            shell.err.push(text);
            if (text.includes("| at work")) shell.stop();
          },
        },
      });

      expect(await running).toBe(130);
      expect(shell.err.join("")).toContain("The maintenance window is closed");
      expect(await isReadOnly()).toBe(true);
      expect(await host.sh("systemctl is-active provision-maintenance-work || true")).toBe("inactive");
    });

    it("refuses a machine whose root is writable by fstab", async () => {
      await host.sh(
        "mount -t tmpfs over /media && echo 'root / overlay rw 0 0' >/media/fstab && mount --bind /media/fstab /etc/fstab",
      );

      const opened = await provision("maintain", ...login, "--", "true");
      const checked = await provision("maintain", ...login, "--check");
      await host.sh("umount /etc/fstab /media");

      expect(opened).toMatchObject({
        exitCode: 2,
        err: expect.stringMatching(/error ROOT_NOT_READ_ONLY .*read-only by \/etc\/fstab, is rw/s) as string,
      });
      expect(checked).toMatchObject({
        exitCode: 0,
        out: expect.stringContaining("writable by /etc/fstab") as string,
      });
    });
  },
);

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error("it never came to be");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
