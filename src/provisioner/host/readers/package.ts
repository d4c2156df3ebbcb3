import { quote } from "../quote.ts";
import { absent, lines, usual, whyFailed, type Reader } from "./reader.ts";

interface Row {
  readonly name: string;
  readonly architecture: string;
  readonly status: string;
  readonly version: string;
}

/** Installed versions, by one dpkg-query. It is asked for dpkg too: that one has the machine's architecture. */
export const packageReader: Reader = {
  kind: "package",
  ...usual,
  // More than a name would be a pattern, and match others.
  refuse: (name) =>
    /^[a-z0-9][a-z0-9+.-]*(?::[a-z0-9-]+)?$/.test(name) ? undefined : "is not the name of a Debian package",
  script: (names) =>
    `t dpkg-query -W -f '\${Package}\\t\${Architecture}\\t\${db:Status-Status}\\t\${Version}\\n' ${quote([...new Set([...names, "dpkg"])])}`,

  parse(section, names) {
    const rows = lines(section.stdout.toString()).map((line): Row => {
      const [name = "", architecture = "", status = "", version = ""] = line.split("\t");
      return { name, architecture, status, version };
    });
    const native = rows.find(({ name }) => name === "dpkg")?.architecture;
    const missing = new Set(
      lines(section.stderr).flatMap((line) => {
        const found = /^dpkg-query: no packages found matching (\S+)$/.exec(line);
        return found?.[1] ?? [];
      }),
    );
    const failed = whyFailed(section, [0, 1]);
    return names.map((asked) => {
      const row = choose(rows, asked, native);
      if (row && !failed) return { value: row.status === "installed" ? row.version : undefined };
      if (missing.has(asked) && !failed) return absent;
      return { unknown: failed ?? "dpkg-query said nothing of it" };
    });
  },
};

/** Of a name without architecture, the machine's own goes first, then an installed one. */
function choose(rows: readonly Row[], asked: string, native: string | undefined): Row | undefined {
  const [name, architecture] = asked.split(":");
  const all = rows.filter((row) => row.name === name);
  if (architecture !== undefined) return all.find((row) => row.architecture === architecture);
  const installed = all.filter(({ status }) => status === "installed");
  return installed.find((row) => row.architecture === native) ?? installed[0] ?? all[0];
}
