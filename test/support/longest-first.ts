import { createHash } from "node:crypto";
import { basename } from "node:path";

import { BaseSequencer, type TestSpecification } from "vitest/node";

/** The end-to-end tests that take longest, the longest first: none of them may be what all others wait for at the end. */
const longest = [
  "full-image",
  "deploy",
  "build-image",
  "scratch",
  "nvidia",
  "taken-back",
  "apply",
  "wireguard",
  "tools",
  "install-binary",
];

/** Files that take minutes start first; the others come in an order that the seed decides. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { seed } = this.ctx.config.sequence;
    const place = ({ moduleId }: TestSpecification) => {
      const at = longest.indexOf(basename(moduleId, ".test.ts"));
      return at < 0 ? longest.length : at;
    };
    const chance = ({ moduleId }: TestSpecification) =>
      createHash("sha256").update(`${seed} ${moduleId}`).digest("hex");
    return files.toSorted((a, b) => place(a) - place(b) || (chance(a) < chance(b) ? -1 : 1));
  }
}
