import { Refusal } from "../../provisioner/core/task.ts";
import { type Checkout, commitOf, type Found, placeOf } from "./look.ts";
import { fullCommit, type Params, pathBelow } from "./schema.ts";

/** Parameters that contradict each other, or that must not stand in a spec. */
export function refuseParams(params: Params): void {
  refuseRepository(params.repository);
  const { ref, commit } = params;
  const isId = new RegExp(fullCommit).test(ref);
  if (commit === undefined && !isId)
    throw new Refusal(
      `its ref must be the full id of a commit, or have one beside it, is "${ref}" alone; add \`commit\`: \`git rev-parse "${ref}^{commit}"\` says it`,
    );
  if (commit !== undefined && isId && ref !== commit)
    throw new Refusal(`its commit must be its ref "${ref}", is "${commit}"; leave the commit out`);
  refuseLinks(params);
}

function refuseRepository(repository: string): void {
  // A user or a password in an address of the web; the user of ssh is no secret, unless a password follows.
  if (/^https?:\/\/[^/]*@|^[^/@]+:\/\/[^/@]*:[^/]*@/.test(repository))
    throw new Refusal(
      "its repository must have no user or password in its address, has them; take them out, and put them into ~/.git-credentials of the user, mode 0600",
    );
  const isAddress = /^(https?:\/\/|ssh:\/\/|file:\/\/\/|\/|[\w.-]+@[A-Za-z0-9.-]+:)(?!-)[^\s\p{Cc}]+$/u;
  if (!isAddress.test(repository) || repository.startsWith("-"))
    throw new Refusal(
      `its repository must be https://…, ssh://…, user@host:path or a path from the root, is "${repository.replace(/[^/]*@/, "…@")}"; correct it`,
    );
}

function refuseLinks(params: Params): void {
  const place = placeOf(params).replace(/^~\//, "");
  const names = Object.keys(params.links ?? {});
  for (const name of names) {
    if (!new RegExp(pathBelow, "u").test(name))
      throw new Refusal(
        `the link "${name}" must be a path below the home, is none; write it as ".config/nvim"`,
      );
    const other = names.find((each) => isBelow(each, name));
    if (other !== undefined)
      throw new Refusal(
        `the link "${other}" must be outside of the link "${name}", is below it; leave one of them out`,
      );
    if (place === name || isBelow(place, name) || isBelow(name, place))
      throw new Refusal(
        `the link "${name}" must be beside the checkout "${place}", is not; take another path`,
      );
  }
}

/** What the machine lacks for a checkout. */
export function refuseLacks({ user }: Params, { hasUser, hasHome, hasGit, home }: Found): void {
  if (!hasUser) throw new Refusal(`"${user}" must be a user, is none; put a \`user\` use before it`);
  if (!hasHome)
    throw new Refusal(
      `"${home}", the home of ${user}, must be a directory, is none; make it with \`directory\``,
    );
  if (!hasGit)
    throw new Refusal("git must be installed, is not; put `apt: { present: [git] }` before this use");
}

/** What stands where the checkout is to be, or would be lost if it moved to another commit. */
export function refuseCheckout(at: string, params: Params, checkout: Checkout): void {
  const { kind, broken, head, busy, dirty, ahead } = checkout;
  if (kind === "foreign")
    throw new Refusal(`"${at}" must be absent or a git checkout, is not; move it away, or take another path`);
  if (broken !== undefined)
    throw new Refusal(
      `"${at}" must be a git checkout of ${params.user}, is not: ${broken}; mend it, or move it away`,
    );
  if (kind === "absent" || head === commitOf(params)) return;
  const goal = `before it moves to ${params.ref}`;
  if (busy !== undefined)
    throw new Refusal(`"${at}" must have no ${busy} under way ${goal}, has one; end it there, or give it up`);
  if (dirty.length > 0)
    throw new Refusal(
      `"${at}" must have no changed files ${goal}, has ${dirty.join(", ")}; commit and push them there, put them aside with \`git stash\`, or pin what is checked out`,
    );
  if (ahead > 0)
    throw new Refusal(
      `"${at}" must have no commits of its own ${goal}, has ${ahead} that no remote has; push them there (\`git push origin HEAD:<branch>\`), then pin one that has them`,
    );
}

function isBelow(path: string, other: string): boolean {
  return path.startsWith(`${other}/`);
}
