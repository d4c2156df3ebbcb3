import { InvalidArgumentError } from "commander";

import { ProvisionError } from "../../core/errors.ts";
import type { BumpRequest } from "../bump-pins.ts";
import { defineCommand, helpEnd } from "../command.ts";
import { runSession } from "../session.ts";

type BumpFlags = Omit<BumpRequest, "tools">;

export const bump = defineCommand<BumpFlags>({
  declare(command) {
    command
      .description(
        "Renews the pins of versions.yaml: the newest stable release of each tool, with the digests of every " +
          "architecture. Edits versions and digests and not one other character; installs nothing.",
      )
      .argument("[TOOL...]", "tools of versions.yaml; all of them when left out")
      .option("--check", "say what is newer, and write nothing")
      .option("--pr", "push the change as one commit and open or update one pull request; edit nothing here")
      .option(
        "--min-age <days>",
        "how long a release must have been out, whatever versions.yaml says",
        readDays,
      )
      .option("--accept-republished", "take files that upstream has replaced under the same version")
      .option("--api <url>", "the release API; https://HOST/api/v3 for GitHub Enterprise")
      .option("--remote <name>", "with --pr: the remote to push to", "origin")
      .option("--base <branch>", "with --pr: what it is to be merged into; the default branch when left out")
      .option("--branch <name>", "with --pr: the branch to push; bump/tools when no tool is named")
      .addHelpText(
        "after",
        [
          "",
          "Environment:",
          "  GITHUB_TOKEN, GH_TOKEN             a token; sent to the API and nowhere else",
          "  PROVISION_API_URL, GITHUB_API_URL  as --api",
          helpEnd(
            [
              "provision bump --check",
              "provision bump bat fd",
              "provision bump go --min-age 0",
              "provision bump --pr",
            ],
            [0, 2, 3, 5, 130],
          ),
        ].join("\n"),
      );
  },
  act({ shell, flags, operands }) {
    const command = ["bump", ...operands, ...(flags.check ? ["--check"] : []), ...(flags.pr ? ["--pr"] : [])];
    return runSession({ shell, flags, command: command.join(" ") }, async (session) => {
      refuseContradictions(flags, operands);
      const { bumpPins } = await import("../bump-pins.ts");
      return await bumpPins(session, shell, { ...flags, tools: operands });
    });
  },
});

function refuseContradictions({ check, pr, acceptRepublished }: BumpFlags, tools: readonly string[]): void {
  if (check && pr)
    throw new ProvisionError("USAGE", {
      what: "Cannot use --check with --pr: one writes nothing, the other pushes",
      mend: "Leave out one of them",
    });
  if (acceptRepublished && tools.length === 0)
    throw new ProvisionError("USAGE", {
      what: "Cannot use --accept-republished for all tools: it must be said for which",
      mend: "Name the tools whose new files you have looked at",
    });
}

function readDays(text: string): number {
  const days = Number(text);
  if (text.trim() !== "" && Number.isFinite(days) && days >= 0) return days;
  throw new InvalidArgumentError("It must be a number of days, 0 or more.");
}
