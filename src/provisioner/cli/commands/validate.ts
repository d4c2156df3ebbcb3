import { ProvisionError } from "../../core/errors.ts";
import type { Complaint } from "../../core/errors.ts";
import { defineCommand, helpEnd } from "../command.ts";
import { runSession } from "../session.ts";

export const validate = defineCommand({
  declare(command) {
    command
      .description(
        "Checks specs and all they include, and says everything that is wrong at once. Touches no machine.",
      )
      .argument("[SPEC...]", "names or files; every spec of specs/ when left out")
      .addHelpText(
        "after",
        helpEnd(["provision validate", "provision validate base", "provision validate ./web.yaml"], [0, 2]),
      );
  },
  act({ shell, flags, operands }) {
    return runSession({ shell, flags, command: "validate", quiet: true }, async ({ result }) => {
      const [{ loadSpec }, { findProject }, { specNames }, { specInvalid }] = await Promise.all([
        import("../compose.ts"),
        import("../project.ts"),
        import("../../spec/read-spec-files.ts"),
        import("../../spec/image-spec.ts"),
      ]);
      const { specsDir } = findProject(shell);
      const specs = operands.length > 0 ? operands : await specNames(specsDir);
      if (specs.length === 0) {
        throw new ProvisionError("USAGE", {
          what: `Cannot validate: there must be specs in ${specsDir}, are none`,
          mend: "Name a file, or set PROVISION_HOME to a folder with specs/",
        });
      }
      const complaints: Complaint[] = [];
      const lines: string[] = [];
      for (const spec of specs) {
        try {
          const { recipe, files } = await loadSpec(spec, shell);
          lines.push(`${spec}: ${recipe.length} uses in ${files.map(({ yaml }) => yaml.file).join(", ")}`);
        } catch (error) {
          if (!(error instanceof ProvisionError) || error.code !== "SPEC_INVALID") throw error;
          complaints.push(...(error as ProvisionError<"SPEC_INVALID">).facts.complaints);
        }
      }
      if (complaints.length > 0) throw specInvalid(complaints);
      result(lines.join("\n"), { valid: specs });
      return "as-wanted";
    });
  },
});
