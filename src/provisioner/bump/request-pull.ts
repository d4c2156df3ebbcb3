import type { Api } from "./api.ts";
import type { Applied } from "./apply-renewals.ts";
import { notReady, type PinsRepository } from "./pins-repository.ts";
import { defaultBranch, type PullRequest, settlePullRequest } from "./pull-request.ts";
import { bodyOf, branchName, messageOf, titleOf } from "./pull-request-text.ts";
import { pushPins } from "./push-pins.ts";

/** Where a pull request is made, and what of it was asked for. */
export interface RequestOptions {
  readonly api: Api;
  readonly repository: PinsRepository;
  readonly workDir: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** The tools that were named. */
  readonly tools: readonly string[];
  readonly base?: string;
  readonly branch?: string;
}

/** A pull request, and what it brings. */
export interface Requested extends PullRequest {
  readonly branch: string;
  readonly base: string;
  readonly commit: string;
  /** False when the branch already had it. */
  readonly pushed: boolean;
}

/** Brings renewed pins to the repository for review: one commit on one branch, one pull request. */
export async function requestPull(applied: Applied, options: RequestOptions): Promise<Requested> {
  const { api, repository, workDir, now, tools } = options;
  const changed = applied.renewals.filter(({ edits }) => edits.length > 0);
  const base = options.base ?? (await defaultBranch(api, repository));
  if (!api.hasToken())
    throw notReady(
      "there must be a token, is none that the API takes",
      "Set GITHUB_TOKEN to one that may write pull requests",
    );
  const branch = options.branch ?? branchName(tools);
  const message = messageOf(changed);
  const { commit, pushed } = await pushPins(repository, {
    text: applied.text,
    message,
    branch,
    base,
    workDir,
  });
  const text = { branch, base, title: titleOf(changed), body: bodyOf(applied, now) };
  return { ...(await settlePullRequest(api, repository, text)), branch, base, commit, pushed };
}
