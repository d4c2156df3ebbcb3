import { Refusal, type ToolArtifact, type ToolPin } from "../../../provisioner/core/task.ts";

/**
 * What of a tool's files goes where, as the script on the machine reads it: a word and what belongs to it, a line
 * each. Paths are of the archive, or of what is installed where the tree took them there.
 */
export function layoutTable({ name: tool, artifacts }: ToolPin): string {
  const lines = artifacts.flatMap(({ format, sha256, name, tree, binaries, extras }) => [
    `artifact ${format} ${sha256} ${name}`,
    ...(tree ? [`tree ${tree.to || "."}`, ...tree.roots.map((root) => `root ${root || "."}`)] : []),
    ...binaries.map(({ command, path }) => placed("binary", command, { path, tree })),
    ...extras.map(({ from, to }) => placed("extra", to, { path: from, tree })),
  ]);
  const odd = lines.find((line) => /\p{Cc}/u.test(line));
  const command = commandsOf({ artifacts }).find((each) => /[\s/]/.test(each));
  if (odd !== undefined || command !== undefined)
    throw new Refusal(
      `${tool} has a name that cannot be installed: ${JSON.stringify(odd ?? command)}; correct versions.yaml`,
    );
  return lines.map((line) => `${line}\n`).join("");
}

/** Where the commands of a tool, and a tree in a directory of its own, will be: paths of the prefix. */
export function placesOf(pin: Pick<ToolPin, "artifacts">): readonly string[] {
  const own = pin.artifacts.flatMap(({ tree }) => (tree && tree.to !== "" ? [tree.to] : []));
  return [...commandsOf(pin).map((command) => `bin/${command}`), ...own];
}

/** The commands that versions.yaml names. */
export function commandsOf({ artifacts }: Pick<ToolPin, "artifacts">): readonly string[] {
  return [...new Set(artifacts.flatMap(({ binaries }) => binaries.map(({ command }) => command)))];
}

function placed(
  word: "binary" | "extra",
  what: string,
  { path, tree }: { readonly path: string; readonly tree: ToolArtifact["tree"] },
): string {
  const inTree = tree && movedTo(path, tree);
  // A path of a program is no pattern.
  const shown = (found: string) => (word === "extra" ? pattern(found) : found || ".");
  return inTree === undefined ? `${word} ${what} ${shown(path)}` : `tree-${word} ${what} ${shown(inTree)}`;
}

/** Where the tree took a path of the archive; of two folders that lie in each other the inner one took it. */
function movedTo(path: string, { to, roots }: NonNullable<ToolArtifact["tree"]>): string | undefined {
  const holding = roots
    .filter((root) => root === "" || path.startsWith(`${root}/`))
    .toSorted((one, other) => other.length - one.length)[0];
  if (holding === undefined) return undefined;
  const rest = holding === "" ? path : path.slice(holding.length + 1);
  return to === "" ? rest : `${to}/${rest}`;
}

/** In versions.yaml only a star stands for something else; the shell knows more. */
function pattern(path: string): string {
  return path.replaceAll(/[?[]/g, "[$&]");
}
