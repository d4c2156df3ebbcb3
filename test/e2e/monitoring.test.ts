import { writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";

import { baseSettings } from "../../src/provisioner/image/base-settings.ts";
import { eventsOf, launch, type LaunchedRun } from "../support/launcher.ts";
import { openShippedProject, type ShippedProject } from "../support/shipped-project.ts";
import type { SignedRepository } from "../support/signed-repository.ts";
import { startSystemdHost, type SystemdHost, whyNoSystemdHost } from "../support/systemd-host.ts";
import { systemdRoot } from "../support/systemd-root.ts";
import type { ToolProject } from "../support/tool-project.ts";

const why = whyNoSystemdHost();
const settings = baseSettings({ env: process.env, home: homedir(), isRoot: true });

/** The kernel gives its audit events to the first process namespace alone. */
const ofTheKernel = ["systemd-unit auditd.service", "command audit-rules", "command audit-plugins"];

const skipped = ` (skipped: ${why ?? "auditd and laurel, which need a kernel of their own: see full-image.test.ts"})`;

describe.skipIf(why !== undefined)(`the monitoring profile${skipped}`, { shuffle: false }, () => {
  let host: SystemdHost;
  let project: ToolProject;
  let repository: SignedRepository;
  let opened: ShippedProject;

  beforeAll(async () => {
    host = await startSystemdHost(await systemdRoot(settings.cacheDir));
    opened = await openShippedProject({ builder: host });
    ({ project, repository } = opened);
  });

  afterAll(async () => {
    await opened[Symbol.asyncDispose]();
    await host[Symbol.asyncDispose]();
  });

  function apply(spec = "monitoring", ...more: readonly string[]): Promise<LaunchedRun> {
    const skip = spec === "monitoring" ? ["--skip", ...ofTheKernel] : [];
    return launch(["apply", "--spec", spec, ...host.login, ...skip, ...more], {
      env: { PROVISION_HOME: project.home, PROVISION_CACHE: join(project.home, "cache") },
    });
  }

  /** Writes a spec of some uses. */
  async function want(...tasks: readonly object[]): Promise<void> {
    await writeFile(join(project.home, "specs/web.yaml"), stringify({ base: "debian-13", tasks }));
  }

  it("plans everything, and fetches no key for it", async () => {
    const planned = await apply("monitoring", "--check");

    expect(outcome(planned)).toEqual([3, []]);
    expect(repository.requests).toEqual([]);
  });

  it("brings nothing of a repository with another key to the machine", async () => {
    repository.mode = "other-key";
    await want({ "apt-repository": { name: "fluent-bit", pinned: "fluent-bit" } });

    const refused = await apply("web");

    expect([refused.exitCode, eventsOf(refused, "error")[0]]).toMatchObject([
      5,
      { code: "KEY_DIFFERS", message: expect.stringContaining(repository.fingerprint) },
    ]);
    expect(await host.sh("ls /etc/apt/keyrings /etc/apt/sources.list.d")).not.toContain("fluent");
  });

  it("says that a repository cannot be reached, and leaves apt as it was", async () => {
    repository.mode = "unreachable";
    const keyless = await apply("web");
    repository.mode = "other-signature";
    const unsigned = await apply("web");

    expect(eventsOf(keyless, "error")[0]).toMatchObject({
      code: "DOWNLOAD_FAILED",
      mend: expect.stringContaining("Check the network"),
    });
    expect(eventsOf(unsigned, "error")[0]).toMatchObject({
      code: "ACTION_FAILED",
      mend: expect.stringContaining("the key that the repository is signed with"),
    });
    expect(await host.sh("ls /etc/apt/sources.list.d")).not.toContain("fluent");
    expect(await host.sh("apt-get -qq update && echo fine")).toBe("fine");
  });

  it("settles the whole profile, and is unchanged the second time, in one flight", async () => {
    repository.mode = "right";

    const first = await apply();
    const second = await apply();

    expect(outcome(first)).toEqual([0, []]);
    expect(outcome(second)).toEqual([0, []]);
    expect(eventsOf(second, "result")[0]?.data).toMatchObject({ changed: 0, flights: 1 });
  });

  it("serves metrics, textfiles among them, as a user who may change nothing", async () => {
    await host.sh("echo 'backup_age_seconds 5' >/var/lib/node_exporter/textfile/backup.prom");

    const metrics = await host.sh("curl -sS http://127.0.0.1:9100/metrics");

    expect(metrics).toContain("node_memory_MemTotal_bytes");
    expect(metrics).toContain("node_timex_sync_status");
    expect(metrics).toMatch(/node_scrape_collector_success\{collector="filesystem"\} 1/);
    expect(metrics).toContain("backup_age_seconds 5");
    expect(await host.sh("systemctl show -p User -p ProtectSystem -p NRestarts --value node_exporter")).toBe(
      "0\nnode_exporter\nstrict",
    );
  });

  it("lets the forwarder read everything and write below /var/lib/fluent-bit alone", async () => {
    expect(await host.sh("systemctl is-active fluent-bit")).toBe("active");
    expect(await host.sh("cat /var/lib/fluent-bit/too-much")).toBe("");
  });

  it("lays out what auditd and laurel need, with rules that auditd's own programs accept as one file", async () => {
    expect(await host.sh("stat -c '%U:%G %a' /var/log/laurel /var/log/audit")).toBe(
      "_laurel:_laurel 750\nroot:adm 750",
    );
    await host.sh("augenrules");

    const rules = await host.sh("grep -c '^-a always,exit' /etc/audit/audit.rules");

    expect(Number(rules)).toBeGreaterThan(10);
  });

  it("tells of a unit that fails some seconds after its start, with what it said", async () => {
    const late =
      "[Service]\nExecStart=/bin/sh -c 'sleep 3; echo the disk is gone >&2; exit 7'\nRestart=always\n";
    await want({
      "systemd-unit": { unit: "late.service", content: late, state: "running", steadySeconds: 6 },
    });

    const failed = await apply("web");

    const [error] = eventsOf(failed, "error");
    expect([failed.exitCode, error?.code]).toEqual([5, "ACTION_FAILED"]);
    expect(error?.message).toMatch(/the disk is gone/);
    expect(error?.message).toMatch(/must stay active for 6 seconds/);
    await host.sh("systemctl stop late; rm /etc/systemd/system/late.service; systemctl daemon-reload");
  });

  it("does not count a restart loop as running", async () => {
    const loop =
      "[Service]\nExecStart=/bin/sh -c 'sleep 1; exit 1'\nRestart=always\nRestartSec=0\nStartLimitIntervalSec=0\n";
    await want({
      "systemd-unit": { unit: "loop.service", content: loop, state: "running", steadySeconds: 5 },
    });

    const failed = await apply("web");

    expect(eventsOf(failed, "error")[0]?.message).toMatch(
      /must stay active for 5 seconds, .* restarted [1-9]/,
    );
    await host.sh("systemctl stop loop; rm /etc/systemd/system/loop.service; systemctl daemon-reload");
  });

  it("leaves the machine without a failed unit, apart from what the kernel refuses in namespaces", async () => {
    const failed = await host.sh("systemctl list-units --failed --plain --no-legend | awk '{ print $1 }'");

    expect(
      failed.split("\n").filter((name) => !["", "audit-rules.service", "auditd.service"].includes(name)),
    ).toEqual([]);
  });
});

const outcome = (done: LaunchedRun) => [done.exitCode, eventsOf(done, "error")];
