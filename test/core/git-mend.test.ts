import { describe, expect, it } from "vitest";

import { ProvisionError } from "../../src/provisioner/core/errors.ts";
import { gitMend } from "../../src/provisioner/core/git-mend.ts";

const fetch = "Cannot fetch v1 from git@git.example.org:bob/d.git";

describe("the mend for what git could not do", () => {
  it.each([
    [`Host key verification failed.\n${fetch}`, /host key .* \/etc\/ssh\/ssh_known_hosts on the target/],
    [`git@git.example.org: Permission denied (publickey).\n${fetch}`, /^Put a key that .* into ~\/\.ssh/],
    [
      "fatal: could not read Username for 'https://a': terminal prompts disabled\nCannot fetch v1 from https://a/d.git",
      /~\/\.git-credentials of the user/,
    ],
    [
      "fatal: Authentication failed for 'https://a/'\nCannot fetch v1 from https://a/d.git",
      /\.git-credentials/,
    ],
    [
      "fatal: unable to access 'https://a/d.git/': Could not resolve host: a\nCannot fetch v1 from https://a/d.git",
      /^Check that https:\/\/a\/d\.git is right, .*`git ls-remote https:\/\/a\/d\.git`/,
    ],
    [
      "Cannot find v9 in /srv/d.git: it has neither",
      /^Correct ref and commit .*`git ls-remote \/srv\/d\.git`/,
    ],
    ["Cannot link a b: it must be in commit 1 of /d.git, is not", /^Correct "a b" in the spec/],
  ])("of %j", (tail, mend) => {
    expect(gitMend(tail)).toMatch(mend);
  });

  it("is none for what other programs say", () => {
    expect(gitMend("E: Failed to fetch http://a/ Could not resolve 'a'")).toBeUndefined();
  });

  it("comes before the one for apt, whose words are the same", () => {
    const tail = "fatal: Could not resolve host: a\nCannot fetch v1 from https://a/d.git";
    const facts = { use: "dotfiles bob", action: "sh -c … provision-dotfiles bob", code: 1, tail };

    expect(new ProvisionError("ACTION_FAILED", facts).mend).toMatch(
      /^Check that https:\/\/a\/d.git is right/,
    );
  });
});
