import { defineCommand, helpEnd } from "../command.ts";
import { packageVersion } from "../package-version.ts";
import { runSession } from "../session.ts";

export const version = defineCommand({
  declare(command) {
    command.description("Prints the version.").addHelpText("after", helpEnd(["provision version"], [0]));
  },
  act({ shell, flags }) {
    return runSession({ shell, flags, command: "version", quiet: true }, async ({ result }) => {
      const number = packageVersion();
      result(number, { version: number });
      return "as-wanted";
    });
  },
});
