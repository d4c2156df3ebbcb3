import type { Command } from "../../src/provisioner/core/task.ts";
import type { FakeFiles } from "./fake-files.ts";

/** The part of the fake machine that the tools task works on. */
interface Machine {
  readonly files: FakeFiles;
}

/** `provision-tools-look PREFIX`, of a store whose tools have one link each. */
export function lookAtTools([, prefix = ""]: readonly string[], { files }: Machine, { stdin = "" }: Command) {
  const store = `${prefix}/share/provision/store`;
  const asked = stdin.split("\n").filter((line) => line.startsWith("tool "));
  const lines = asked.flatMap((line) => {
    const home = `${store}/${line.slice("tool ".length)}`;
    if (!files.stat(home)) return [line];
    const ids = new Set(
      files.paths().flatMap((path) => /^([^/]+)\/\.provision$/.exec(path.slice(home.length + 1))?.[1] ?? []),
    );
    const current = files.stat(`${home}/current`)?.target;
    return [line, "there", ...[...ids].map((id) => `has ${id}`), ...(current ? [`current ${current}`] : [])];
  });
  const leftovers = files.stat(`${store}/.incoming`) ? ["leftovers"] : [];
  return { stdout: ["machine x86_64", ...leftovers, ...lines, ""].join("\n") };
}

/** `provision-tools-prepare PREFIX`. */
export function prepareStore([, prefix = ""]: readonly string[], { files }: Machine): void {
  files.remove(`${prefix}/share/provision/store/.incoming`);
  files.directory(`${prefix}/share/provision/store/.incoming`, { mode: "0700" });
}

/** `provision-tools-take FROM TO`. */
export function takeSent([, from = "", to = ""]: readonly string[], { files }: Machine): void {
  for (const path of files.paths().filter((each) => each.startsWith(`${from}/`)))
    files.write(`${to}${path.slice(from.length)}`, files.read(path) ?? "");
}

/** `provision-tools VERB PREFIX …`. */
export function changeTools(
  argv: readonly string[],
  { files }: Machine,
  { stdin = "" }: Command,
): number | { code: number; stderr: string } {
  const [, verb = "", prefix = "", tool = "", id = ""] = argv;
  const store = `${prefix}/share/provision/store`;
  const incoming = `${store}/.incoming`;
  const home = `${store}/${tool}`;
  if (verb === "install") {
    const sent = [...stdin.matchAll(/^artifact \S+ (\S+)/gm)].map(([, sha256]) => `${incoming}/${sha256}`);
    if (sent.length === 0 || !sent.every((path) => files.stat(path))) return { code: 1, stderr: "not sent" };
    files.directory(`${home}/${id}`);
    files.write(`${home}/${id}/.provision`, `bin/${tool}\n`);
  }
  if (verb === "install" || verb === "switch") {
    files.symlink(`${home}/current`, id);
    files.directory(`${prefix}/bin`);
    files.symlink(`${prefix}/bin/${tool}`, `../share/provision/store/${tool}/current/bin/${tool}`);
  }
  if (verb === "remove") {
    files.remove(`${prefix}/bin/${tool}`);
    files.remove(home);
  }
  files.remove(incoming);
  return 0;
}
