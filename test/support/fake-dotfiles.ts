import type { FakeHost } from "./fake-host.ts";

/** A machine on which `bob` has a home, and git is installed while /usr/bin/git is there. */
type Machine = Pick<FakeHost, "files" | "users">;

/** Puts a checkout at its place: what git keeps of it stands in `.git/state`, a line each as the look prints them. */
export function checkOut({ files }: Machine, path: string, ...lines: readonly string[]): void {
  files.directory(`${path}/.git`);
  files.write(`${path}/.git/state`, lines.map((line) => `${line}\n`).join(""));
}

/** `provision-dotfiles-look USER PATH COMMIT [NAME SOURCE]…` */
export function lookAtDotfiles(argv: readonly string[], host: Machine) {
  const [, user = "", path = "", , ...pairs] = argv;
  const home = homeOf(host, user);
  if (home === undefined) return { stdout: "no user\n" };
  const checkout = path.replace(/^~/, home);
  const { files } = host;
  const state = files.read(`${checkout}/.git/state`);
  const names = pairs.filter((_, at) => at % 2 === 0);
  return {
    stdout: [
      `home ${home}`,
      ...(files.stat(home) ? [] : ["homeless"]),
      ...(files.stat("/usr/bin/git") ? ["git"] : []),
      ...(state === undefined ? (files.stat(checkout) ? ["foreign"] : []) : ["checkout", state.trim()]),
      ...names.flatMap((name) => [`link ${name}`, ...linkLines(host, home, name)]),
      "",
    ].join("\n"),
  };
}

/** `provision-dotfiles USER PATH REF COMMIT URL [SOURCE]…` */
export function checkOutDotfiles(argv: readonly string[], host: Machine): void {
  const [, user = "", path = "", , commit = "", url = ""] = argv;
  checkOut(host, path.replace(/^~/, homeOf(host, user) ?? ""), `url ${url}`, `head ${commit}`);
}

/** `provision-dotfiles-link USER PATH NAME SOURCE` */
export function linkDotfile(argv: readonly string[], host: Machine): void {
  const [, user = "", path = "", name = "", source = ""] = argv;
  const home = homeOf(host, user) ?? "";
  const place = `${home}/${name}`;
  const text = host.files.read(place);
  if (text !== undefined) host.files.write(`${home}/${backups(host, home, name).free}`, text);
  host.files.directory(place.slice(0, place.lastIndexOf("/")));
  host.files.symlink(place, `${path.replace(/^~/, home)}/${source}`);
}

/** `provision-dotfiles-unlink USER PATH NAME` */
export function unlinkDotfile(argv: readonly string[], host: Machine): void {
  const [, user = "", , name = ""] = argv;
  const home = homeOf(host, user) ?? "";
  const { kept } = backups(host, home, name);
  host.files.remove(`${home}/${name}`);
  if (kept === undefined) return;
  host.files.write(`${home}/${name}`, host.files.read(`${home}/${kept}`) ?? "");
  host.files.remove(`${home}/${kept}`);
}

function homeOf({ users }: Machine, user: string): string | undefined {
  return users.get(user)?.home;
}

function linkLines(host: Machine, home: string, name: string): readonly string[] {
  const found = host.files.stat(`${home}/${name}`);
  const { free, kept } = backups(host, home, name);
  const looks = found?.type === "symlink" ? [`target ${found.target}`] : found ? [found.type] : [];
  return [...looks, `free ${free}`, ...(kept === undefined ? [] : [`kept ${kept}`])];
}

function backups({ files }: Machine, home: string, name: string) {
  let [kept, free]: [string | undefined, string] = [undefined, `${name}.before-provision`];
  for (let number = 1; files.stat(`${home}/${free}`); number += 1) {
    [kept, free] = [free, `${name}.before-provision.${number}`];
  }
  return { kept, free };
}
