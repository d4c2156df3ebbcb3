import { join } from "node:path";

import { openScratch } from "../local/scratch.ts";
import { notReady, type PinsRepository } from "./pins-repository.ts";

/** What is to be pushed. */
export interface PinsChange {
  /** The whole new text of the file. */
  readonly text: string;
  readonly message: string;
  /** Where it goes, and what it is to be merged into. */
  readonly branch: string;
  readonly base: string;
  readonly workDir: string;
}

/** Its line in a commit's message says that this program made the commit, and may replace it. */
export const trailer = "Bumped-by: provision bump";

/**
 * Puts one commit with the new file on a branch of the remote. The branch that is checked out, its index and the
 * work tree are not touched: the commit is made of plumbing. A branch that somebody else has worked on is left alone.
 */
export async function pushPins(
  repository: PinsRepository,
  change: PinsChange,
): Promise<{ readonly commit: string; readonly pushed: boolean }> {
  const { git, path, remote, blob: atHead } = repository;
  const { base, branch, text } = change;
  if ((await git.maybe(["check-ref-format", "--branch", branch])) === undefined)
    throw notReady(`"${branch}" must be a name for a branch, is none`, "Name another with --branch");
  const { baseTip, branchTip } = await readRemote(repository, base, branch);

  if ((await git.maybe(["rev-parse", `${baseTip}:${path}`])) !== atHead)
    throw notReady(
      `${path} must be the same here and on ${remote}/${base}, is not`,
      `Run \`git pull ${remote} ${base}\` first, or check ${base} out`,
    );
  const blob = await git(["hash-object", "-w", `--path=${path}`, "--stdin"], { input: text });
  if (branchTip !== undefined) {
    await needOurs(repository, { baseTip, branchTip, branch });
    if (await saysTheSame(repository, branchTip, blob)) return { commit: branchTip, pushed: false };
  }
  const commit = await makeCommit(repository, change, { blob, parent: baseTip });
  const lease = `--force-with-lease=refs/heads/${branch}:${branchTip ?? ""}`;
  await git(["push", "--quiet", lease, remote, `${commit}:refs/heads/${branch}`]);
  return { commit, pushed: true };
}

/** The tips of both branches on the remote, with all they consist of brought here. */
async function readRemote(
  { git, remote }: PinsRepository,
  base: string,
  branch: string,
): Promise<{ readonly baseTip: string; readonly branchTip: string | undefined }> {
  const refs = [`refs/heads/${base}`, `refs/heads/${branch}`] as const;
  const lines = (await git(["ls-remote", remote, ...refs])).split("\n").map((line) => line.split("\t"));
  const [baseTip, branchTip] = refs.map((ref) => lines.find(([, name]) => name === ref)?.[0]);
  if (baseTip === undefined)
    throw notReady(`${remote} must have a branch "${base}", has none`, "Name another with --base");
  const there = branchTip === undefined ? refs.slice(0, 1) : refs;
  // Neither FETCH_HEAD nor the branches that are kept of the remote are ours to move.
  await git(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--refmap=", remote, ...there]);
  return { baseTip, branchTip };
}

/** A branch with commits of people is theirs. */
async function needOurs(
  { git, remote }: PinsRepository,
  {
    baseTip,
    branchTip,
    branch,
  }: { readonly baseTip: string; readonly branchTip: string; readonly branch: string },
): Promise<void> {
  const messages = await git(["log", "--format=%B%x00", `${baseTip}..${branchTip}`]);
  const foreign = messages
    .split("\0")
    .filter((message) => message.trim() !== "" && !message.includes(trailer));
  if (foreign.length === 0) return;
  throw notReady(
    `branch "${branch}" of ${remote} has commits that provision did not make`,
    "Merge or close its pull request and delete the branch, or name another with --branch",
  );
}

/** Whether the branch already brings the pin it would get, from the pin that there is. */
async function saysTheSame(
  { git, path, blob: atHead }: PinsRepository,
  tip: string,
  blob: string,
): Promise<boolean> {
  const [now, before] = await Promise.all([
    git.maybe(["rev-parse", `${tip}:${path}`]),
    git.maybe(["rev-parse", `${tip}^:${path}`]),
  ]);
  return now === blob && before === atHead;
}

async function makeCommit(
  { git, path }: PinsRepository,
  { message, workDir }: PinsChange,
  { blob, parent }: { readonly blob: string; readonly parent: string },
): Promise<string> {
  await using scratch = await openScratch(workDir, "bump");
  const env = { GIT_INDEX_FILE: join(scratch.path, "index") };
  await git(["read-tree", parent], { env });
  const [mode = "100644"] = (await git(["ls-tree", parent, "--", path])).split(" ");
  await git(["update-index", "--cacheinfo", `${mode},${blob},${path}`], { env });
  const tree = await git(["write-tree"], { env });
  // commit-tree does not look at this setting by itself.
  const signs = (await git.maybe(["config", "--type=bool", "commit.gpgSign"])) === "true";
  return await git(["commit-tree", ...(signs ? ["-S"] : []), "-p", parent, "-F", "-", tree], {
    input: message,
  });
}
