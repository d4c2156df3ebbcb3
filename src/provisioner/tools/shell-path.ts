import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";

const begin = "# >>> provision: PATH >>>";
const end = "# <<< provision: PATH <<<";
const block = new RegExp(`^${begin}\\n[\\s\\S]*?^${end}\\n?`, "m");

/** Whose shell it is, and how it was started. */
export interface LoginShell {
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Whether a directory is on the PATH of this very moment. */
export function isOnPath(directory: string, { env }: Pick<LoginShell, "env">): boolean {
  return (env["PATH"] ?? "").split(":").some((each) => each.replace(/\/+$/, "") === directory);
}

/** The line that puts a directory on PATH, in the words of the login shell. */
export function pathLine(directory: string, { env }: Pick<LoginShell, "env">): string {
  const quoted = `'${directory.replaceAll("'", String.raw`'\''`)}'`;
  if (nameOf(env) === "fish") return `contains -- ${quoted} $PATH; or set -gx PATH ${quoted} $PATH`;
  return `case ":$PATH:" in *:${quoted}:*) ;; *) export PATH=${quoted}:"$PATH" ;; esac`;
}

/** The file that the login shell reads when a person opens it. */
export function startFile({ home, env }: LoginShell): string {
  switch (nameOf(env)) {
    case "bash":
      return join(home, ".bashrc");
    case "zsh":
      return join(env["ZDOTDIR"] || home, ".zshrc");
    case "fish":
      return join(env["XDG_CONFIG_HOME"] || join(home, ".config"), "fish/conf.d/provision.fish");
    default:
      return join(home, ".profile");
  }
}

/** Writes the marked block into the shell's file, or renews it; says whether the file was changed. */
export function writePathBlock(directory: string, shell: LoginShell): boolean {
  const file = startFile(shell);
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  const wanted = `${begin}\n${pathLine(directory, shell)}\n${end}\n`;
  const gap = text === "" || text.endsWith("\n") ? "" : "\n";
  // A function: "$" in a path would mean something in a text.
  const next = block.test(text) ? text.replace(block, () => wanted) : text + gap + wanted;
  return replaceFile(file, text, next);
}

/** Takes the block out again; says whether there was one. */
export function removePathBlock(shell: LoginShell): boolean {
  const file = startFile(shell);
  if (!existsSync(file)) return false;
  const text = readFileSync(file, "utf8");
  return replaceFile(file, text, text.replace(block, ""));
}

function replaceFile(file: string, before: string, text: string): boolean {
  if (text === before) return false;
  mkdirSync(dirname(file), { recursive: true });
  // Dotfiles are often links into a repository: the file there is the one to change.
  const real = existsSync(file) ? realpathSync.native(file) : file;
  const partial = `${real}.provision-partial`;
  writeFileSync(partial, text);
  if (existsSync(real)) {
    const { mode, uid, gid } = statSync(real);
    chmodSync(partial, mode & 0o7777);
    chownSync(partial, uid, gid);
  }
  renameSync(partial, real);
  return true;
}

function nameOf(env: LoginShell["env"]): string {
  return basename(env["SHELL"] ?? "");
}
