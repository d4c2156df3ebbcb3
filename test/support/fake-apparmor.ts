import type { FakeHost, Program } from "./fake-host.ts";

const LOADED = "/sys/kernel/security/apparmor/profiles";
const SWITCH = "/sys/module/apparmor/parameters/enabled";

/** A kernel with AppArmor, none of whose profiles is loaded, and its parser. */
export function installAppArmor(host: FakeHost): void {
  for (const path of [LOADED, SWITCH]) host.files.directory(path.slice(0, path.lastIndexOf("/")));
  host.files.directory("/etc/apparmor.d");
  host.files.write(SWITCH, "Y\n");
  host.files.write(LOADED, "");
  host.program("apparmor_parser", parse);
}

/** What the kernel has loaded, by name. */
export function loadedProfiles(host: FakeHost): readonly string[] {
  return (host.files.read(LOADED) ?? "").split("\n").flatMap((line) => line.split(" (")[0] || []);
}

/** Knows a profile by its head, and takes one whose braces do not match for a mistake. */
const parse: Program = (argv, host, { stdin }) => {
  const path = argv.find((word) => word.startsWith("/"));
  const text = path === undefined ? (stdin ?? "") : (host.files.read(path) ?? "");
  const lines = text.split("\n");
  if (text.split("{").length !== text.split("}").length) {
    return { code: 1, stderr: `AppArmor parser error at line ${lines.length}: syntax error` };
  }
  if (!argv.includes("--replace")) return 0;
  const heads = lines.flatMap((line) => /^(?:profile )?(\S+) .*\{$/.exec(line)?.[1] ?? []);
  const names = new Set([...loadedProfiles(host), ...heads]);
  host.files.write(LOADED, [...names].map((name) => `${name} (enforce)\n`).join(""));
  return 0;
};
