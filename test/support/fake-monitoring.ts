import type { Ending, FakeHost } from "./fake-host.ts";

/** Programs and units of the spec monitoring; auditd runs. */
export function installMonitoring(host: FakeHost): void {
  host.units.install("auditd.service", { active: "active", enabled: true });
  host.units.install("fluent-bit.service");
  host.units.install("node_exporter.service");
  for (const program of ["/usr/local/bin/node_exporter", "/usr/bin/prometheus-node-exporter"]) {
    host.program(program, readFlags);
  }
  host.program("provision-node-exporter-look", lookAtNodeExporter);
  host.program("provision-node-exporter-ask", () => 0);
  host.program("provision-fluent-bit-look", () => ({ stdout: "/opt/fluent-bit/bin/fluent-bit\n" }));
  host.program("provision-fluent-bit-check", (_argv, _host, { stdin = "" }) => complain(stdin));
  host.program("provision-laurel-look", lookAtLaurel);
  host.program("provision-laurel-check", (_argv, _host, { stdin = "" }) => complain(stdin));
  host.program("provision-laurel-tell", () => 0);
  host.program("provision-audit-rules", loadRules);
}

/** `node_exporter FLAG… --version` */
function readFlags(argv: readonly string[]): Ending {
  const wrong = argv.find((flag) => flag.includes("bogus"));
  return wrong === undefined ? 0 : { code: 1, stderr: `unknown long flag '${wrong}', try --help` };
}

/** `provision-node-exporter-look 0 [HOST PORT]…`: it answers where the settings of a unit that runs say. */
function lookAtNodeExporter([, , ...places]: readonly string[], { files, units }: FakeHost): Ending {
  const texts = [
    ["node_exporter", "node_exporter.service"],
    ["prometheus-node-exporter", "prometheus-node-exporter.service"],
  ].flatMap(([name, unit = ""]) =>
    units.state(unit).active === "active" ? [files.read(`/etc/default/${name}`) ?? ""] : [],
  );
  const lines = places.flatMap((host, at) => {
    const port = places[at + 1];
    const isHost = at % 2 === 0;
    return isHost && texts.some((text) => text.includes(`:${port}`)) ? [`answers ${host} ${port}\n`] : [];
  });
  return { stdout: lines.join("") };
}

/** A text with a mistake, as each of these programs says it. */
function complain(text: string): Ending {
  return text.includes("mistake") ? { code: 1, stderr: "line 7: a mistake" } : 0;
}

function lookAtLaurel(_argv: readonly string[], { files, units }: FakeHost): Ending {
  const isPlugin = files.read("/etc/audit/plugins.d/laurel.conf")?.includes("active = yes") === true;
  const runs = isPlugin && units.state("auditd.service").active === "active";
  return { stdout: `/usr/local/bin/laurel\n${runs ? "runs\n" : ""}` };
}

/** `provision-audit-rules FILE` */
function loadRules(
  [, path = ""]: readonly string[],
  { files }: FakeHost,
  { stdin = "" }: { readonly stdin?: string },
): Ending {
  if (stdin.includes("mistake")) return { code: 1, stderr: "There was an error in line 7" };
  if (stdin === "") return files.remove(path);
  files.directory("/etc/audit/rules.d");
  files.write(path, stdin, { mode: "0640" });
  return 0;
}
