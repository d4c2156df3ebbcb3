import { realpath } from "node:fs/promises";
import { basename, dirname } from "node:path";

import { ProvisionError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import { type Git, openGit } from "./git.ts";

/** The repository that versions.yaml lies in, as far as this machine knows it. */
export interface PinsRepository {
  /** In its top folder. */
  readonly git: Git;
  /** The file, from the top folder. */
  readonly path: string;
  /** The blob of the file at HEAD. */
  readonly blob: string;
  readonly remote: string;
  readonly owner: string;
  readonly repo: string;
}

/** Looks whether a pull request could be made of a change to the file; says what stands in its way. */
export async function findPinsRepository(file: string, remote: string, run: Run): Promise<PinsRepository> {
  const real = await realpath(file);
  const here = openGit(dirname(real), run);
  const top = await here.maybe(["rev-parse", "--show-toplevel"]);
  if (top === undefined)
    throw notReady(
      `${file} must lie in a git repository, does not`,
      "Leave out --pr: the file itself is edited then",
    );
  const git = openGit(top, run);
  const path = await here.maybe(["ls-files", "--full-name", "--error-unmatch", "--", basename(real)]);
  const blob = path === undefined ? undefined : await git.maybe(["rev-parse", `HEAD:${path}`]);
  if (path === undefined || blob === undefined)
    throw notReady(`${file} must be committed, is not`, `Run \`git add ${file}\` and commit it first`);
  if ((await git(["status", "--porcelain", "--", path])) !== "")
    throw notReady(
      `${file} must be as it is committed, has changes`,
      `Commit them or run \`git stash push ${file}\` first; \`git diff HEAD ${file}\` shows them`,
    );
  await needIdentity(git);
  return { git, path, blob, remote, ...(await ownerOf(git, remote)) };
}

/** Not one that git makes up of the user and the machine. */
async function needIdentity(git: Git): Promise<void> {
  for (const name of ["GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"])
    if ((await git.maybe(["-c", "user.useConfigOnly=true", "var", name])) === undefined)
      throw notReady(
        "git must know who commits, does not",
        "Run `git config user.name NAME` and `git config user.email ADDRESS`",
      );
}

/** The last two parts of its URL, in any of the forms git takes. */
async function ownerOf(git: Git, remote: string): Promise<{ readonly owner: string; readonly repo: string }> {
  const url = await git.maybe(["remote", "get-url", "--push", remote]);
  if (url === undefined)
    throw notReady(`there must be a remote "${remote}", is none`, "Name one of `git remote` with --remote");
  const [, owner, repo] = /(?:^|[/:])([\w.-]+)\/([\w.-]+?)(?:\.git)?\/*$/.exec(url) ?? [];
  if (owner !== undefined && repo !== undefined) return { owner, repo };
  throw notReady(
    `the URL of remote "${remote}" must end with OWNER/NAME, does not`,
    "Name a remote that is the repository on the API's server with --remote",
  );
}

/** What has to be mended before there can be a pull request. */
export function notReady(reason: string, mend: string): ProvisionError {
  return new ProvisionError("PULL_REQUEST_NOT_READY", { reason, mend });
}
