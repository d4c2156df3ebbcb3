import { ProvisionError } from "../../core/errors.ts";
import { defineCommand, helpEnd } from "../command.ts";

/** `plan apply …` never comes here: the program reads it as `apply … --check --diff`. */
export const plan = defineCommand({
  declare(command) {
    command
      .description(
        "Says what a command would change, with diffs, and changes nothing. Takes the command's own flags.",
      )
      .usage("COMMAND [FLAGS]")
      .argument("<COMMAND>", "apply")
      .addHelpText("after", helpEnd(["provision plan apply --spec base --target web1"], [0, 2, 3, 4]));
  },
  async act({ operands: [name] }) {
    throw new ProvisionError("USAGE", {
      what: `Cannot plan "${name}": must be apply`,
      mend: "Use `provision plan apply --spec NAME --target HOST`",
    });
  },
});
