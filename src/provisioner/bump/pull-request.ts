import { ProvisionError } from "../core/errors.ts";
import type { Api } from "./api.ts";
import { notReady, type PinsRepository } from "./pins-repository.ts";
import { fieldAt, textAt } from "./release-list.ts";

/** A pull request as it is now. */
export interface PullRequest {
  readonly number: number;
  readonly url: string;
  readonly state: "opened" | "updated";
}

/** What a pull request says, and between which branches it is. */
export interface PullRequestText {
  readonly branch: string;
  readonly base: string;
  readonly title: string;
  readonly body: string;
}

/** The branch that pull requests are merged into, when none is named. */
export async function defaultBranch(api: Api, { owner, repo }: PinsRepository): Promise<string> {
  const { data } = await api.send("GET", "/repos/{owner}/{repo}", { owner, repo });
  const name = textAt(data, "default_branch");
  if (name !== undefined) return name;
  throw notReady(`${owner}/${repo} must have a default branch, has none`, "Name a branch with --base");
}

/** Opens a pull request for a branch, or brings the one that is open up to date: there is never a second. */
export async function settlePullRequest(
  api: Api,
  { owner, repo }: PinsRepository,
  { branch, base, title, body }: PullRequestText,
): Promise<PullRequest> {
  const where = { owner, repo };
  const asked = { ...where, state: "open", head: `${owner}:${branch}`, base };
  const { data: open } = await api.send("GET", "/repos/{owner}/{repo}/pulls", asked);
  // Some servers overlook a filter they do not know.
  const ours = (Array.isArray(open) ? (open as unknown[]) : []).find(
    (each) =>
      textAt(fieldAt(each, "head"), "ref") === branch && textAt(fieldAt(each, "base"), "ref") === base,
  );
  const number = fieldAt(ours, "number");
  const { data } =
    typeof number === "number"
      ? await api.send("PATCH", "/repos/{owner}/{repo}/pulls/{number}", { ...where, number, title, body })
      : await api.send("POST", "/repos/{owner}/{repo}/pulls", { ...where, head: branch, base, title, body });
  const made = fieldAt(data, "number");
  if (typeof made !== "number")
    throw new ProvisionError("API_REFUSED", {
      what: `a pull request of ${owner}/${repo}`,
      reason: "the answer must be a pull request, is something else",
    });
  return {
    number: made,
    url: textAt(data, "html_url") ?? "",
    state: ours === undefined ? "opened" : "updated",
  };
}
