import { describe, expect, it } from "vitest";

import { ProvisionError } from "../../src/provisioner/core/errors.ts";

const script = "sh -c … provision-apt 600 1440 install nosuch";

describe("ACTION_FAILED", () => {
  it.each([
    ["E: Unable to locate package nosuch", /^Correct "nosuch" in the spec .*apt-cache policy nosuch/],
    ["E: Package 'nosuch' has no installation candidate", /^Correct "nosuch" in the spec/],
    ["E: Version '9' for 'nosuch' was not found", /^Correct "nosuch" in the spec/],
    [
      "Err:1 http://deb.example/ trixie InRelease\n  Could not resolve 'deb.example'\nE: Failed to fetch x",
      /^Check the target's network and the archives in its \/etc\/apt/,
    ],
    ["AppArmor parser error at line 2: syntax error, unexpected TOK_ID", /^Correct the profile: the line/],
    [
      "W: OpenPGP signature verification failed: http://a/ trixie InRelease: Missing key 0A1B\nE: The repository 'http://a/ trixie InRelease' is not signed.",
      /^Compare the key that the repository is signed with now/,
    ],
    [
      "The following signatures couldn't be verified: NO_PUBKEY 0A1B\nE: Failed to fetch http://a/",
      /^Compare the key/,
    ],
    ["dpkg: error: unable to write: No space left on device", /^Free space on the target: `df -h`/],
    ["E: You don't have enough free space in /var/cache/apt/archives/.", /^Free space on the target/],
    ["dpkg: error processing package x", /^Read the log of this run/],
  ])("has the mend for %j", (tail, mend) => {
    const error = new ProvisionError("ACTION_FAILED", { use: "apt nosuch", action: script, code: 100, tail });

    expect(error.mend).toMatch(mend);
  });

  it("names the program where somebody can run it", () => {
    const facts = { use: "sysctl a.b", action: "sysctl -w a.b=1", code: 1, tail: "cannot stat" };

    expect(new ProvisionError("ACTION_FAILED", facts).mend).toMatch(/^Run `sysctl -w a.b=1` on the target/);
  });
});
