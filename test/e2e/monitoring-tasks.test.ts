import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";

import { baseSettings } from "../../src/provisioner/image/base-settings.ts";
import { auditEvent, standInForAuditd } from "../support/audit-daemon.ts";
import { freePort } from "../support/free-port.ts";
import { eventsOf, launch, type LaunchedRun } from "../support/launcher.ts";
import { openShippedProject, type ShippedProject } from "../support/shipped-project.ts";
import { startSystemdHost, type SystemdHost, whyNoSystemdHost } from "../support/systemd-host.ts";
import { systemdRoot } from "../support/systemd-root.ts";

const why = whyNoSystemdHost();
const settings = baseSettings({ env: process.env, home: homedir(), isRoot: true });

/** The kernel gives its audit events to the first process namespace alone. */
const ofTheKernel = ["systemd-unit auditd.service", "command audit-rules", "command audit-plugins"];

const secret = "open-sesame-and-come-in";
const rule = "-w /etc/app -p wa -k app";

const title = "the tasks of monitoring, on a machine that has the profile's programs";

describe.skipIf(why !== undefined)(`${title}${why ? ` (skipped: ${why})` : ""}`, { shuffle: false }, () => {
  let host: SystemdHost;
  let opened: ShippedProject;
  let home: string;
  /** The network is this machine's own. */
  let ports: { readonly profile: number; readonly first: number; readonly second: number };

  beforeAll(async () => {
    host = await startSystemdHost(await systemdRoot(settings.cacheDir));
    opened = await openShippedProject({ builder: host });
    ({ home } = opened.project);
    ports = { profile: await freePort(), first: await freePort(), second: await freePort() };
    const profile = join(home, "specs/monitoring.yaml");
    await writeFile(profile, (await readFile(profile, "utf8")).replace(":9100", `:${ports.profile}`));
    const [failure] = eventsOf(await apply("monitoring", "--skip", ...ofTheKernel), "error");
    if (failure) throw new Error(failure.message);
    await standInForAuditd(host);
    // As on an image: whatever needs to write elsewhere fails.
    await host.sh(`
      for dir in /etc /var; do mount --bind $dir $dir; done
      mount -t tmpfs tmp /tmp
      # What has a file open below the old mounts.
      systemctl restart systemd-journald auditd fluent-bit
      for try in 1 2 3 4 5 6 7 8 9; do mount -o remount,bind,ro / && break; sleep 0.3; done
      ! touch /usr/written 2>/dev/null`);
  });

  afterAll(async () => {
    await opened[Symbol.asyncDispose]();
    await host[Symbol.asyncDispose]();
  });

  function apply(spec: string, ...more: readonly string[]): Promise<LaunchedRun> {
    return launch(["apply", "--spec", spec, ...host.login, ...more], {
      env: { PROVISION_HOME: home, PROVISION_CACHE: join(home, "cache") },
    });
  }

  async function applyAlone(task: object): Promise<LaunchedRun> {
    await writeFile(join(home, "specs/web.yaml"), stringify({ base: "debian-13", tasks: [task] }));
    return apply("web");
  }

  /** Applies this, and again, which must find nothing to do; gives the first run. */
  async function settle(task: object): Promise<LaunchedRun> {
    const done = await applyAlone(task);
    const again = await apply("web");
    expect([outcome(done), outcome(again)]).toEqual([
      [0, []],
      [0, []],
    ]);
    expect(eventsOf(again, "result")[0]?.data).toMatchObject({ changed: 0, flights: 1 });
    return done;
  }

  /** Applies this, which must fail; gives the message. */
  async function refuse(task: object): Promise<string> {
    const failed = await applyAlone(task);
    const [error] = eventsOf(failed, "error");
    expect([failed.exitCode, error?.code]).toEqual([5, "ACTION_FAILED"]);
    return error?.message ?? "";
  }

  const startOf = (unit: string) =>
    host.sh(`systemctl show --property=ActiveEnterTimestampMonotonic ${unit}`);

  it("gives node_exporter another port, where it answers, and no longer on the old one", async () => {
    // Characters that systemd, which reads the flags twice, has a meaning for.
    const exclude = "--collector.filesystem.mount-points-exclude=^/(dev|a b|c\\d|'\"`x)($|/)";
    const params = { port: ports.first, collectors: { processes: true, wifi: false }, options: [exclude] };

    await settle({ "node-exporter": params });

    expect(await host.sh(`curl -sS http://127.0.0.1:${ports.first}/metrics`)).toMatch(
      /node_scrape_collector_success\{collector="processes"\} 1/,
    );
    await expect(host.sh(`curl -sS http://127.0.0.1:${ports.profile}/metrics`)).rejects.toThrow(/connect/);
    expect(
      await host.sh("tr '\\0' '\\n' </proc/$(pgrep -xf '/usr/local/bin/node_exporter .*')/cmdline"),
    ).toContain(`\n${exclude}`);
  });

  it("keeps node_exporter as it is when it does not know a flag", async () => {
    const started = await startOf("node_exporter");

    const message = await refuse({ "node-exporter": { port: ports.second, collectors: { nonsense: true } } });

    expect(message).toMatch(/unknown long flag '--collector.nonsense'/);
    expect(await startOf("node_exporter")).toBe(started);
    expect(await host.sh(`curl -sS http://127.0.0.1:${ports.first}/`)).toContain("Node Exporter");
  });

  it("does not take somebody else's answer for node_exporter's", async () => {
    const taken = createServer((_request, response) => response.end("somebody else"));
    await new Promise<void>((resolve) => taken.listen(ports.second, "127.0.0.1", resolve));

    const message = await refuse({ "node-exporter": { port: ports.second, addresses: ["127.0.0.1"] } });
    await new Promise((resolve) => taken.close(resolve));

    expect(message).toMatch(/address already in use/);
  });

  it("serves metrics by TLS to who knows the password", async () => {
    // By the host's own programs; its files are this machine's too.
    await host.sh(
      "openssl req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -subj /CN=localhost -keyout /var/tmp/key -out /var/tmp/crt 2>/dev/null",
    );
    const hash = await host.sh(
      `perl -e 'print crypt("opensesame", q($2b$04$${"a".repeat(21)}u))' | tee /var/tmp/hash`,
    );
    const source = (name: string) => ({ file: join(host.root, "var/tmp", name) });
    const params = {
      port: ports.second,
      tls: { certificate: source("crt"), key: source("key") },
      readers: [{ name: "prometheus", passwordHash: source("hash") }],
    };

    const { events } = await settle({ "node-exporter": params });

    const asked = (user: string) =>
      host.sh(`curl -sSk -o /dev/null -w '%{http_code}' ${user} https://127.0.0.1:${ports.second}/metrics`);
    expect([
      await asked("-u prometheus:opensesame"),
      await asked("-u prometheus:wrong"),
      await asked(""),
    ]).toEqual(["200", "401", "401"]);
    expect(await host.sh("stat -c '%U %a' /etc/node_exporter/*")).toBe(
      "node_exporter 600\n".repeat(3).trim(),
    );
    expect(JSON.stringify(events)).not.toContain(hash);
  });

  it("settles Debian's node_exporter by Debian's own file, once ours is gone", async () => {
    await settle({ "node-exporter": { state: "absent" } });
    const left = "find /etc/node_exporter /etc/default /etc/systemd/system/node_exporter.service.d -type f";
    expect(
      await host.sh(`systemctl is-active node_exporter; ${left} | grep -E 'node|tls|web|settings'; true`),
    ).toBe("inactive");
    await host.sh(
      "rm /etc/systemd/system/node_exporter.service && systemctl daemon-reload && mount -o remount,bind,rw / && apt-get -qq install -y prometheus-node-exporter >/dev/null 2>&1 && mount -o remount,bind,ro /",
    );

    await settle({ "node-exporter": { port: ports.first } });

    expect(await host.sh(`curl -sS http://127.0.0.1:${ports.first}/metrics`)).toContain(
      "node_memory_MemTotal_bytes",
    );
    await expect(host.sh(`curl -sS http://127.0.0.1:${ports.profile}/metrics`)).rejects.toThrow(/connect/);
    await settle({ "node-exporter": { state: "absent" } });
  });

  it("has the forwarder deliver elsewhere, with a secret that only it is given", async () => {
    const loki = { name: "loki", properties: { host: "logs", http_passwd: "${LOKI_PASSWORD}" } };
    const params = { outputs: [loki], secrets: { LOKI_PASSWORD: { command: ["echo", secret] } } };

    const { events } = await settle({ "fluent-bit": params });

    expect(await host.sh("tail -n 1 /var/lib/fluent-bit/starts")).toBe(
      `/etc/fluent-bit/settings.conf ${secret} provision-host`,
    );
    expect(await host.sh("stat -c '%U %a' /etc/fluent-bit/settings.env")).toBe("root 600");
    expect(JSON.stringify(events)).not.toContain(secret);
  });

  it("keeps the forwarder as it is when it does not understand its settings", async () => {
    const [text, started] = [await host.sh("cat /etc/fluent-bit/settings.conf"), await startOf("fluent-bit")];

    const message = await refuse({ "fluent-bit": { outputs: [{ name: "lokki" }] } });

    expect(message).toMatch(/unknown plugin: lokki\n.*the old ones stay/);
    expect(await host.sh("cat /etc/fluent-bit/settings.conf; ls -A /etc/fluent-bit | grep new; true")).toBe(
      text,
    );
    expect(await startOf("fluent-bit")).toBe(started);
  });

  it("gives laurel settings that it takes up at auditd's signal, and the kernel rules", async () => {
    const log = { linePrefix: "@cee: " };
    await settle({ laurel: { log, rules: [rule] } });
    for (const number of [1, 2]) await auditEvent(host, number);
    await settle({ laurel: { log, transform: { arguments: "both" }, rules: [rule] } });
    for (const number of [3, 4]) await auditEvent(host, number);

    // Each time the first event is still told in the old way.
    const told = async () => {
      const lines = (await host.sh("cat /var/log/laurel/audit.log")).split("\n");
      return lines.map((line) => [line.startsWith("@cee: "), /"ARGV_STR":"echo event-\d"/.test(line)]);
    };
    await expect.poll(told, { timeout: 10_000 }).toEqual([
      [false, false],
      [true, false],
      [true, false],
      [true, true],
    ]);
    expect(await host.sh("ps -o user= -C laurel")).toBe("_laurel");
    expect(
      await host.sh("grep -c . /run/audit-rules; grep -xF -e '-w /etc/app -p wa -k app' /run/audit-rules"),
    ).toMatch(/^[1-9][0-9]\n-w/);
  });

  it("keeps laurel's settings and the kernel's rules when one of them is wrong", async () => {
    const files = "cat /etc/laurel/config.toml /etc/audit/rules.d/60-laurel.rules /run/audit-rules";
    const before = await host.sh(files);

    const pattern = await refuse({ laurel: { labels: { programs: { "(": "x" } }, rules: [rule] } });
    const reader = await refuse({ laurel: { log: { readUsers: ["nobody-at-all"] }, rules: [rule] } });
    expect(await host.sh(files)).toBe(before);
    await settle({ laurel: { rules: [rule] } });
    const kept = await host.sh(files);
    const wrong = await refuse({ laurel: { rules: [rule, "-a always,exit -S nonsense"] } });

    expect(pattern).toMatch(/regex parse error[^]*the old ones stay/);
    expect(reader).toMatch(/nobody-at-all must be a user to read the log/);
    expect(wrong).toMatch(
      /nonsense[^]*the line: -a always,exit -S nonsense\n.*the old ones are loaded again/,
    );
    expect(await host.sh(files)).toBe(kept);
  });

  it("has auditd start no laurel any more", async () => {
    await settle({ laurel: { state: "absent" } });

    await expect.poll(() => host.sh("pgrep -x laurel; true"), { timeout: 10_000 }).toBe("");
    expect(await host.sh("systemctl is-active auditd; grep -c app /run/audit-rules; true")).toBe("active\n0");
  });
});

const outcome = (done: LaunchedRun) => [done.exitCode, eventsOf(done, "error")];
