import { ProvisionError } from "../../core/errors.ts";
import { defineCommand, helpEnd } from "../command.ts";

/** `plan apply …` and `plan build …` never come here: the program reads them as the command with `--check --diff`. */
export const plan = defineCommand({
  declare(command) {
    command
      .description(
        "Says what a command would change, with diffs, and changes nothing. Takes the command's own flags.",
      )
      .usage("COMMAND [FLAGS]")
      .argument("<COMMAND>", "apply or build")
      .addHelpText(
        "after",
        helpEnd(
          ["provision plan build --spec base", "provision plan apply --spec base --target web1"],
          [0, 2, 3, 4],
        ),
      );
  },
  async act({ operands: [name] }) {
    throw new ProvisionError("USAGE", {
      what: `Cannot plan "${name}": must be apply or build`,
      mend: "Use `provision plan build --spec NAME` or `provision plan apply --spec NAME --target HOST`",
    });
  },
});
