import type { Command } from "../../src/provisioner/core/task.ts";
import { stampDirectory, unitDirectory, units } from "../../src/tasks/rootless-containerd/units.ts";
import type { FakeFiles } from "./fake-files.ts";
import { lookAtTools } from "./fake-tools.ts";

/** The part of the fake machine that the task works on. */
interface Machine {
  readonly files: FakeFiles;
}

/** `provision-rootless-look USER WAITING-ROOM`, of a machine where whoever is asked for is a user. */
export function lookAtRootless(
  [, name = "", room = ""]: readonly string[],
  host: Machine,
  command: Command,
): { readonly stdout: string } {
  const { files } = host;
  const home = `/home/${name}`;
  const lingers = files.stat(lingerFile(name)) !== undefined;
  const lines = units.map((unit) => {
    const stamp = files.read(`${home}/${stampDirectory}/${unit}`)?.trim() ?? "-";
    const has = files.stat(`${home}/${unitDirectory}/${unit}`) !== undefined;
    const active = !lingers ? "-" : has ? "active" : "inactive";
    return `unit ${unit} ${has ? "file enabled" : "- -"} ${active} ${stamp}`;
  });
  const { stdout } = lookAtTools(["", `${home}/.local`], host, command);
  const own = [
    `user 1000 ${home}`,
    ...(lingers ? ["linger", "manager"] : []),
    ...(files.stat(room) ? ["sent"] : []),
    ...lines,
  ];
  return { stdout: [...own, "tools", stdout].join("\n") };
}

/** `provision-rootless VERB USER UID HOME …`. */
export function setUpRootless(argv: readonly string[], { files }: Machine): void {
  const [, verb = "", name = "", , home = "", ...more] = argv;
  const [unitsAt, stampsAt] = [`${home}/${unitDirectory}`, `${home}/${stampDirectory}`];
  if (verb === "linger") {
    files.directory("/var/lib/systemd/linger");
    files.write(lingerFile(name), "");
  } else if (verb === "set-up") {
    const [id = "", unit = ""] = more;
    files.directory(unitsAt);
    files.write(`${unitsAt}/${unit}`, "[Service]\n");
    files.directory(stampsAt);
    files.write(`${stampsAt}/${unit}`, `${id}\n`);
  } else {
    for (const unit of verb === "drop" ? more.slice(0, 1) : more) {
      files.remove(`${unitsAt}/${unit}`);
      files.remove(`${stampsAt}/${unit}`);
    }
  }
}

/** `loginctl disable-linger USER`. */
export function stopLingering([, , name = ""]: readonly string[], { files }: Machine): void {
  files.remove(lingerFile(name));
}

function lingerFile(name: string): string {
  return `/var/lib/systemd/linger/${name}`;
}
