import { describe, expect, it } from "vitest";

import { fluentBit } from "../../src/tasks/fluent-bit/index.ts";
import { emptyMachine, type FakeHost } from "../support/fake-host.ts";
import { accepts, refusal, settle, sourcesOf } from "../support/tasks.ts";

type Params = Parameters<typeof fluentBit.subject>[0];

const settings = "/etc/fluent-bit/settings.conf";
const secretsFile = "/etc/fluent-bit/settings.env";
const dropIn = "/etc/systemd/system/fluent-bit.service.d/settings.conf";
const stamp = "/var/lib/provision/stamps/fluent-bit";
const toNobody = { outputs: [{ name: "null" }] };
const password = 'pa"ss$word`\\';
const sources = { ...sourcesOf(), secret: async () => `${password}\n` };
const toLoki = {
  outputs: [{ name: "loki", properties: { host: "logs", http_passwd: "${PASSWORD}" } }],
  secrets: { PASSWORD: { env: "LOKI" } },
};

async function settled(params: Params = toNobody): Promise<FakeHost> {
  const host = emptyMachine();
  await settle(fluentBit, params, host, { sources });
  host.journal.length = 0;
  return host;
}

describe("fluent-bit", () => {
  it("has the new settings read before it writes them, and restarts once", async () => {
    const host = emptyMachine();

    await settle(fluentBit, toLoki, host, { sources });

    expect(host.journal.filter((line) => !line.startsWith("directory"))).toEqual([
      "run provision-fluent-bit-check /opt/fluent-bit/bin/fluent-bit /etc/fluent-bit",
      `write ${settings}`,
      `write ${secretsFile}`,
      `write ${dropIn}`,
      "run systemctl daemon-reload",
      "run systemctl enable fluent-bit.service",
      "run provision-systemctl start fluent-bit.service 5",
      `write ${stamp}`,
    ]);
  });

  it("writes sections in fluent-bit's own form, with bounds on what waits", async () => {
    const host = await settled({
      service: { flush: 1 },
      inputs: [{ name: "forward", tag: "apps", properties: { listen: "0.0.0.0" } }],
      filters: [{ name: "modify", match: "apps", properties: { add: ["host web1", "site home"] } }],
      outputs: [{ name: "http", match: "apps", properties: { tls: true, "tls.verify": false, port: 443 } }],
    });

    expect(host.files.read(settings)).toBe(`# By provision; what is changed here by hand is lost.
[SERVICE]
    flush 1
    daemon off
    log_level warn
    parsers_file /etc/fluent-bit/parsers.conf
    storage.path /var/lib/fluent-bit/storage
    storage.max_chunks_up 64
    storage.backlog.mem_limit 16M

[INPUT]
    name forward
    tag apps
    listen 0.0.0.0

[FILTER]
    name modify
    match apps
    add host web1
    add site home

[OUTPUT]
    name http
    match apps
    storage.total_limit_size 200M
    tls on
    tls.verify off
    port 443
`);
  });

  it("reads the journal and the audit trail where nothing else is said", async () => {
    const host = await settled();

    expect(host.files.read(settings)?.match(/^ {4}tag .*$/gm)).toEqual(["    tag journal", "    tag audit"]);
  });

  it("shows what fluent-bit says of a mistake, and leaves everything as it was", async () => {
    const host = await settled();
    const before = host.files.read(settings);

    const settling = settle(fluentBit, { outputs: [{ name: "null", match: "mistake" }] }, host);

    await expect(settling).rejects.toMatchObject({
      code: "ACTION_FAILED",
      message: expect.stringContaining("line 7: a mistake"),
    });
    expect(host.files.read(settings)).toBe(before);
    expect(host.journal).toEqual([
      "run provision-fluent-bit-check /opt/fluent-bit/bin/fluent-bit /etc/fluent-bit",
    ]);
  });

  it("keeps secrets out of the configuration, in a file of root's for systemd", async () => {
    const host = await settled(toLoki);

    expect(host.files.read(secretsFile)).toBe('PASSWORD="pa\\"ss\\$word\\`\\\\"\n');
    expect(host.files.stat(secretsFile)).toMatchObject({ mode: "0600", owner: "root" });
    expect(host.files.read(settings)).toContain("http_passwd ${PASSWORD}\n");
    expect(host.files.read(dropIn)).toContain(`EnvironmentFile=${secretsFile}\n`);
  });

  it("gives the check words in the place of secrets", async () => {
    const host = emptyMachine();
    const given: unknown[] = [];
    host.program("provision-fluent-bit-check", (_argv, _host, { env }) => void given.push(env));

    await settle(fluentBit, toLoki, host, { sources });

    expect(given).toEqual([{ HOSTNAME: "placeholder", PASSWORD: "placeholder" }]);
  });

  it("never reads a secret back", async () => {
    const host = await settled(toLoki);
    host.unknown.set(`file:${secretsFile}`, "no");

    expect(await settle(fluentBit, toLoki, host, { sources })).toMatchObject({ changed: 0, flights: 1 });
  });

  it("restarts for another secret alone, and takes the file away with the last one", async () => {
    const host = await settled(toLoki);

    await settle(fluentBit, toLoki, host, { sources: { ...sources, secret: async () => "another\n" } });
    const forAnother = [...host.journal];
    await settle(fluentBit, toNobody, host, { sources });

    expect(forAnother).toEqual([
      "directory /etc/fluent-bit",
      `write ${secretsFile}`,
      "run provision-systemctl restart fluent-bit.service 5",
      "directory /var/lib/provision/stamps",
      `write ${stamp}`,
    ]);
    expect(host.journal.at(-1)).toBe(`remove ${secretsFile}`);
  });

  it("restarts when a file beside is not as at the last start", async () => {
    const params = { ...toNobody, restartOn: ["/etc/parsers.conf"] };
    const host = await settled(params);
    host.files.write("/etc/parsers.conf", "[PARSER]\n");

    await settle(fluentBit, params, host);

    expect(host.journal).toContain("run provision-systemctl restart fluent-bit.service 5");
  });

  it("takes its whole text from a template", async () => {
    const host = await settled({ template: "mine.conf", variables: { host: "logs" } });

    expect(host.files.read(settings)).toBe('mine.conf {"host":"logs"}\n');
  });

  it.each([
    [
      { outputs: [{ name: "null", properties: { alias: "${SECRTE}" } }] },
      /\$\{SECRTE\} must be HOSTNAME or one/,
    ],
    [{ ...toNobody, template: "mine.conf" }, /must have outputs or a template, has both/],
  ])("refuses %j", async (params, reason) => {
    await expect(settle(fluentBit, params, emptyMachine())).rejects.toMatchObject(refusal(reason));
  });

  it("refuses a secret of several lines, without telling it", async () => {
    const settling = settle(fluentBit, toLoki, emptyMachine(), {
      sources: { ...sources, secret: async () => "hunter2\nhunter3\n" },
    });

    await expect(settling).rejects.toMatchObject(refusal(/the secret PASSWORD must be one line, has more/));
    await expect(settling).rejects.not.toThrow("hunter");
  });

  it("refuses a machine that lacks the program or the unit, with the way out", async () => {
    const [without, bare] = [emptyMachine(), emptyMachine()];
    without.units.remove("fluent-bit.service");
    bare.program("provision-fluent-bit-look", () => 0);

    await expect(settle(fluentBit, toNobody, without)).rejects.toMatchObject(
      refusal(/fluent-bit.service must be there, is not; start from an image/),
    );
    await expect(settle(fluentBit, toNobody, bare)).rejects.toMatchObject(
      refusal(/fluent-bit must be at \/opt\/fluent-bit\/bin\/fluent-bit or/),
    );
  });

  it("goes with its settings, and leaves those of the image", async () => {
    const host = await settled(toLoki);
    host.files.write("/etc/fluent-bit/provision.conf", "[SERVICE]\n");

    await settle(fluentBit, { state: "absent" }, host);

    expect(host.units.state("fluent-bit.service")).toMatchObject({ active: "inactive", enabled: "disabled" });
    expect(host.files.paths().filter((path) => path.startsWith("/etc/fluent-bit/"))).toEqual([
      "/etc/fluent-bit/provision.conf",
    ]);
    expect(host.files.read(dropIn)).toBeUndefined();
    expect(await settle(fluentBit, { state: "absent" }, host)).toMatchObject({ changed: 0 });
  });

  it.each([
    [{}, false],
    [{ state: "absent" }, true],
    [{ outputs: [] }, false],
    [{ template: "mine.conf", inputs: [{ name: "tail" }] }, false],
    [{ variables: {}, ...toNobody }, false],
    [{ outputs: [{ name: "null", properties: { "two words": 1 } }] }, false],
    [{ outputs: [{ name: "null", properties: { alias: "x\n[INPUT]" } }] }, false],
    [{ outputs: [{ name: "null", properties: { alias: " x" } }] }, false],
    [{ outputs: [{ name: "null", match: "a b" }] }, false],
    [{ ...toNobody, secrets: { lower: { env: "A" } } }, false],
    [{ ...toNobody, secrets: { PASSWORD: "in the clear" } }, false],
  ])("takes %j: %s", (params, isTaken) => {
    expect(accepts(fluentBit, params)).toBe(isTaken);
  });
});
