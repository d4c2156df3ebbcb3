import { describe, expect, it } from "vitest";

import { nodeExporter } from "../../src/tasks/node-exporter/index.ts";
import { emptyMachine, type FakeHost } from "../support/fake-host.ts";
import { accepts, planned, refusal, settle, sourcesOf } from "../support/tasks.ts";

type Params = Parameters<typeof nodeExporter.subject>[0];

const ours = "/etc/default/node_exporter";
const debians = "/etc/default/prometheus-node-exporter";
const stamp = "/var/lib/provision/stamps/node-exporter";
const hash = `$2y$10$${"a".repeat(53)}`;
const secret = async ({ file }: { readonly file?: string | undefined }) =>
  `${file === "hash" ? hash : file}\n`;
const sources = { ...sourcesOf(), secret };
const tls = { certificate: { file: "the certificate" }, key: { file: "the key" } };
const readers = [{ name: "prometheus", passwordHash: { file: "hash" } }];

/** A machine with Debian's build and none of ours. */
function debianMachine(): FakeHost {
  const host = emptyMachine();
  host.units.remove("node_exporter.service");
  host.units.install("prometheus-node-exporter.service", { active: "active", enabled: true });
  host.files.write(debians, 'ARGS=""\n');
  return host;
}

async function settled(params: Params, host = emptyMachine()): Promise<FakeHost> {
  await settle(nodeExporter, params, host, { sources });
  host.journal.length = 0;
  return host;
}

describe("node-exporter", () => {
  it("has the flags read before they are written, then starts the unit and asks whether it answers", async () => {
    const host = emptyMachine();

    await settle(nodeExporter, { port: 9200 }, host);

    expect(host.journal.filter((line) => !line.startsWith("directory"))).toEqual([
      "run /usr/local/bin/node_exporter --web.listen-address=:9200 --collector.textfile.directory=/var/lib/node_exporter/textfile --version",
      `write ${ours}`,
      "write /etc/systemd/system/node_exporter.service.d/settings.conf",
      "run systemctl daemon-reload",
      "run systemctl enable node_exporter.service",
      "run provision-systemctl start node_exporter.service 2",
      "run provision-node-exporter-ask 100 127.0.0.1 9200",
      `write ${stamp}`,
    ]);
    expect(host.files.read("/etc/systemd/system/node_exporter.service.d/settings.conf")).toContain(
      "ExecStart=\nExecStart=/usr/local/bin/node_exporter $NODE_EXPORTER_OPTIONS\n",
    );
  });

  it("settles Debian's build by its own file, without a drop-in", async () => {
    const host = debianMachine();

    await settle(nodeExporter, { port: 9200, collectors: { systemd: true, wifi: false } }, host);

    expect(host.files.read(debians)).toBe(
      '# By provision; what is changed here by hand is lost.\nARGS="--web.listen-address=:9200 --collector.textfile.directory=/var/lib/prometheus/node-exporter --collector.systemd --no-collector.wifi"\n',
    );
    expect(host.files.paths().filter((path) => path.startsWith("/etc/systemd/system/"))).toEqual([]);
    expect(host.journal).toContain("run provision-systemctl restart prometheus-node-exporter.service 2");
  });

  it("asks each address where it is reached", async () => {
    const host = emptyMachine();

    await settle(nodeExporter, { addresses: ["10.0.0.1", "::", "::1"] }, host);

    expect(host.files.read(ours)).toContain(
      "--web.listen-address=10.0.0.1:9100 --web.listen-address=[::]:9100 --web.listen-address=[::1]:9100",
    );
    expect(host.journal).toContain("run provision-node-exporter-ask 100 10.0.0.1 9100 ::1 9100 ::1 9100");
  });

  it("quotes a flag twice, as systemd reads it twice", async () => {
    const host = await settled({ options: ["--collector.x.exclude=^/(a b|c\\d)'($|`/)"] });

    expect(host.files.read(ours)).toContain(String.raw`'--collector.x.exclude=^/(a b|c\\\\d)\\'(\$|\`/)'`);
  });

  it("restarts on other flags, and keeps the old ones when it does not know one", async () => {
    const host = await settled({});
    const before = host.files.read(ours);

    await expect(settle(nodeExporter, { collectors: { bogus: true } }, host)).rejects.toMatchObject({
      code: "ACTION_FAILED",
      message: expect.stringContaining("unknown long flag '--collector.bogus'"),
    });
    expect(host.files.read(ours)).toBe(before);
    expect(host.journal.filter((line) => !line.endsWith("--version"))).toEqual([]);

    await settle(nodeExporter, { port: 9300 }, host);

    expect(host.journal).toContain("run provision-systemctl restart node_exporter.service 2");
  });

  it("restarts one that runs and does not answer", async () => {
    const host = await settled({});
    const look = host.run({ argv: ["provision-node-exporter-look", "0", "127.0.0.1", "9100"] });
    let isSilent = true;
    host.program("provision-node-exporter-look", () => (isSilent ? 0 : (look ?? 0)));
    host.program("provision-node-exporter-ask", () => void (isSilent = false));

    await settle(nodeExporter, {}, host);

    expect(host.journal).toEqual([
      "run provision-systemctl restart node_exporter.service 2",
      "run provision-node-exporter-ask 100 127.0.0.1 9100",
      "directory /var/lib/provision/stamps",
      `write ${stamp}`,
    ]);
  });

  it("serves by TLS and to readers alone, from files that only its user reads", async () => {
    const host = await settled({ tls, readers });

    expect(host.files.read("/etc/node_exporter/web.yml")).toBe(
      `# By provision; what is changed here by hand is lost.
tls_server_config:
  cert_file: tls.crt
  key_file: tls.key
basic_auth_users:
  "prometheus": "${hash}"
`,
    );
    expect(host.files.read("/etc/node_exporter/tls.key")).toBe("the key\n");
    for (const name of ["web.yml", "tls.crt", "tls.key"]) {
      expect(host.files.stat(`/etc/node_exporter/${name}`)).toMatchObject({
        mode: "0600",
        owner: "node_exporter",
      });
    }
    expect(host.files.read(ours)).toContain("--web.config.file=/etc/node_exporter/web.yml");
  });

  it("never reads a secret back, and shows none", async () => {
    const host = await settled({ tls, readers });
    for (const name of ["web.yml", "tls.crt", "tls.key"])
      host.unknown.set(`file:/etc/node_exporter/${name}`, "no");
    const events: object[] = [];

    const again = await settle(nodeExporter, { tls, readers }, host, { sources });
    await settle(nodeExporter, { tls, readers }, emptyMachine(), { sources, events: events as never });

    expect(again).toMatchObject({ changed: 0, flights: 1 });
    const words = events.flatMap((event) => ("changes" in event ? (event.changes as object[]) : []));
    const shown = JSON.stringify(words.map((change) => ({ ...change, actions: undefined })));
    expect(shown).toContain("TLS, for prometheus");
    expect(shown).not.toMatch(/the key|the certificate|\$2y/);
  });

  it("takes the web configuration away after the restart that no longer reads it", async () => {
    const host = await settled({ tls });

    await settle(nodeExporter, {}, host);

    const lines = host.journal;
    expect(lines.indexOf("remove /etc/node_exporter/tls.key")).toBeGreaterThan(
      lines.indexOf(`write ${stamp}`),
    );
    expect(host.files.paths().filter((path) => path.startsWith("/etc/node_exporter/"))).toEqual([]);
  });

  it("refuses a hash that is none, without telling it", async () => {
    const wrong = [{ name: "prometheus", passwordHash: { file: "hunter2hunter2" } }];

    const settling = settle(nodeExporter, { readers: wrong }, emptyMachine(), { sources });

    await expect(settling).rejects.toMatchObject(
      refusal(/passwordHash of "prometheus" must be a bcrypt hash, is something else; make one/),
    );
    await expect(settling).rejects.not.toThrow("hunter2");
  });

  it("makes the directory of texts that it is given", async () => {
    const host = await settled({ textfiles: "/var/lib/metrics" });

    expect(host.files.stat("/var/lib/metrics")).toMatchObject({ type: "directory" });
  });

  it("refuses a machine without any build, with the way out", async () => {
    const host = emptyMachine();
    host.units.remove("node_exporter.service");

    await expect(settle(nodeExporter, {}, host)).rejects.toMatchObject(
      refusal(
        /node_exporter.service or prometheus-node-exporter.service must be there, is not; start from an image/,
      ),
    );
  });

  it("goes with its settings; Debian's file stays, empty", async () => {
    const host = await settled({ tls });
    const other = await settled({}, debianMachine());

    for (const each of [host, other]) await settle(nodeExporter, { state: "absent" }, each);

    expect(host.units.state("node_exporter.service")).toMatchObject({
      active: "inactive",
      enabled: "disabled",
    });
    expect(other.units.state("prometheus-node-exporter.service")).toMatchObject({ active: "inactive" });
    expect(host.files.paths().filter((path) => /node.exporter(\.service\.d)?\//.test(path))).toEqual([]);
    expect(host.files.read(ours)).toBeUndefined();
    expect(other.files.read(debians)).toBe('ARGS=""\n');
    expect(await settle(nodeExporter, { state: "absent" }, host)).toMatchObject({ changed: 0 });
  });

  it("is one machine's where it serves on an address of its own", () => {
    expect(nodeExporter.identity?.({ addresses: ["127.0.0.1", "10.0.0.1"] })).toBe("the address 10.0.0.1");
    expect(nodeExporter.identity?.({ addresses: ["::", "127.0.0.1"] })).toBeUndefined();
  });

  it("changes nothing of a machine that is as wanted, in the words of a plan too", async () => {
    expect(await planned(nodeExporter, { port: 9100 }, await settled({}))).toEqual([]);
  });

  it.each([
    [{}, true],
    [{ port: 0 }, false],
    [{ addresses: ["10.0.0.1:9100"] }, false],
    [{ addresses: ["fd00::1"] }, true],
    [{ collectors: { "Bad Name": true } }, false],
    [{ collectors: { systemd: "on" } }, false],
    [{ options: ["--web.listen-address=:1"] }, false],
    [{ options: ["--web.config.file=/x"] }, false],
    [{ options: ["--collector.textfile.directory=/x"] }, false],
    [{ options: ["--web.max-requests=5", "--log.level=warn"] }, true],
    [{ options: ["--log.level=warn\n--x"] }, false],
    [{ tls: { certificate: { file: "a" } } }, false],
    [{ readers: [{ name: "a:b", passwordHash: { file: "a" } }] }, false],
  ])("takes %j: %s", (params, isTaken) => {
    expect(accepts(nodeExporter, params)).toBe(isTaken);
  });
});
