import { expect, it } from "vitest";

import type { ExtraKind } from "../../src/provisioner/core/tool-pin.ts";
import { extraPlace, matching } from "../../src/provisioner/tools/extra-place.ts";

const owner = { tool: "ripgrep", command: "rg" };

it.each<[from: string, to: ExtraKind, place: string]>([
  ["x/doc/rg.1", "man1", "share/man/man1/rg.1"],
  ["x/doc/rg.conf.5.gz", "man5", "share/man/man5/rg.conf.5.gz"],
  ["x/complete/rg.bash", "bash", "share/bash-completion/completions/rg"],
  ["x/complete/fd.bash-completion", "bash", "share/bash-completion/completions/fd"],
  ["x/completions/eza", "bash", "share/bash-completion/completions/eza"],
  ["x/completions/bash", "bash", "share/bash-completion/completions/rg"],
  ["x/complete/_rg", "zsh", "share/zsh/site-functions/_rg"],
  ["x/autocomplete/bat.zsh", "zsh", "share/zsh/site-functions/_bat"],
  ["x/completion.zsh", "zsh", "share/zsh/site-functions/_rg"],
  ["x/complete/rg.fish", "fish", "share/fish/vendor_completions.d/rg.fish"],
  ["x/LICENSE-MIT", "doc", "share/doc/ripgrep/LICENSE-MIT"],
])("takes %s as %s to %s", (from, to, place) => {
  expect(extraPlace(from, to, owner)).toBe(place);
});

it.each([
  ["x/*.1", ["x/a.1", "x/b.1"]],
  ["*/a.1", ["x/a.1"]],
  ["x/a.1", ["x/a.1"]],
  // Not a regular expression.
  ["x/a+1", []],
  ["x/a.?", []],
])("%s stands for %j", (pattern, found) => {
  expect(matching(pattern, ["x/b.1", "x/a.1", "x/sub/c.1", "x/a11"])).toEqual(found);
});
