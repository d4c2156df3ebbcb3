import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { baseSettings } from "../../src/provisioner/image/base-settings.ts";
import { eventsOf, launch, type LaunchedRun } from "../support/launcher.ts";
import { startSystemdHost, type SystemdHost, whyNoSystemdHost } from "../support/systemd-host.ts";
import { systemdRoot } from "../support/systemd-root.ts";

const why = whyNoSystemdHost();
const { cacheDir } = baseSettings({ env: process.env, home: homedir(), isRoot: true });
const outcome = (done: LaunchedRun) => [done.exitCode, eventsOf(done, "error")];

describe.skipIf(why !== undefined)(
  `a host with systemd in namespaces${why ? ` (skipped: ${why})` : ""}`,
  () => {
    let root: string;
    let host: SystemdHost;
    let folder: string;

    beforeAll(async () => {
      root = await systemdRoot(cacheDir);
      folder = await mkdtemp(join(tmpdir(), "provision-test-"));
      host = await startSystemdHost(root);
    });

    afterAll(async () => {
      await host[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    });

    it("runs a real systemd, whole, and lets root in by key", async () => {
      const [, target = ""] = host.login;
      const ssh = ["-i", host.identity, "-o", `UserKnownHostsFile=${host.knownHosts}`, "-o", "BatchMode=yes"];

      const { stdout } = await promisify(execFile)("ssh", [
        ...ssh,
        `ssh://${target}`,
        "systemctl is-system-running; cat /proc/1/comm",
      ]);

      expect(stdout).toBe("running\nsystemd\n");
    });

    it("settles the shipped base profile on it, and is unchanged the second time, in one flight", async () => {
      const apply = () => launch(["apply", "--spec", "base", ...host.login]);

      const first = await apply();
      const second = await apply();

      expect(outcome(first)).toEqual([0, []]);
      expect(outcome(second)).toEqual([0, []]);
      expect(eventsOf(second, "result")[0]?.data).toMatchObject({ changed: 0, flights: 1 });
      expect(await host.sh("systemctl is-system-running")).toBe("running");
    });

    it("keeps what is written to itself: kernel settings, files, host name", async () => {
      const setting = "/proc/sys/vm/swappiness";
      const before = await readFile(setting, "utf8");

      await host.sh(`echo 37 >${setting}; echo text >/etc/of-the-host; sysctl -n vm.swappiness`);

      expect(await host.sh(`cat ${setting}`)).toBe("37");
      expect(await readFile(setting, "utf8")).toBe(before);
      expect(existsSync(join(root, "etc/of-the-host"))).toBe(false);
      expect(await readFile(join(host.root, "etc/of-the-host"), "utf8")).toBe("text\n");
    });

    it("leaves nothing when it is disposed", async () => {
      const passing = await startSystemdHost(root);
      await passing.sh("systemd-run --quiet --property=Type=exec sleep 1234");
      const before = await sleeping();

      await passing[Symbol.asyncDispose]();

      expect(before).toBe(1);
      expect(await sleeping()).toBe(0);
      expect(existsSync(passing.root)).toBe(false);
      expect(existsSync(passing.identity)).toBe(false);
    });

    it("says why a root cannot be started", async () => {
      await writeFile(join(folder, "no-root"), "");

      await expect(startSystemdHost(join(folder, "no-root"))).rejects.toThrow(
        /Cannot start a host with systemd/,
      );
    });
  },
);

/** How many processes of this machine sleep as the test asked for. */
async function sleeping(): Promise<number> {
  const { stdout } = await promisify(execFile)("ps", ["-e", "-o", "args="]);
  return stdout.split("\n").filter((line) => line.endsWith("sleep 1234")).length;
}
