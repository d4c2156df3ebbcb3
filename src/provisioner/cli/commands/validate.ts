import { ProvisionError } from "../../core/errors.ts";
import type { Complaint } from "../../core/errors.ts";
import type { Recipe } from "../../core/recipe.ts";
import type { YamlFile } from "../../spec/read-yaml.ts";
import { defineCommand, helpEnd } from "../command.ts";
import { runSession } from "../session.ts";

export const validate = defineCommand({
  declare(command) {
    command
      .description(
        "Checks specs and all they include, and hosts with their defaults and against each other, and says everything that is wrong at once. Touches no machine.",
      )
      .argument("[NAME...]", "specs or hosts, or their files; all of specs/ and hosts/ when left out")
      .addHelpText(
        "after",
        helpEnd(
          ["provision validate", "provision validate base host01", "provision validate ./web.yaml"],
          [0, 2],
        ),
      );
  },
  act({ shell, flags, operands }) {
    return runSession({ shell, flags, command: "validate", quiet: true }, async ({ result }) => {
      const [{ loadSpec }, { checkHosts }, { sortNames }, { specInvalid }] = await Promise.all([
        import("../compose.ts"),
        import("../check-hosts.ts"),
        import("../sort-names.ts"),
        import("../../spec/image-spec.ts"),
      ]);
      const { specs, hosts } = await sortNames(operands, shell);
      const complaints: Complaint[] = [];
      const lines: string[] = [];
      for (const spec of specs) {
        try {
          lines.push(inWords(spec, await loadSpec(spec, shell)));
        } catch (error) {
          if (!(error instanceof ProvisionError) || error.code !== "SPEC_INVALID") throw error;
          complaints.push(...(error as ProvisionError<"SPEC_INVALID">).facts.complaints);
        }
      }
      const checked = await checkHosts(hosts, shell);
      complaints.push(...checked.complaints);
      lines.push(...checked.hosts.map((host) => inWords(host.spec.name, host)));
      if (complaints.length > 0) throw specInvalid(complaints);
      result(lines.join("\n"), { valid: [...specs, ...hosts] });
      return "as-wanted";
    });
  },
});

function inWords(
  name: string,
  found: { readonly recipe: Recipe; readonly files: readonly { readonly yaml: YamlFile }[] },
): string {
  return `${name}: ${found.recipe.length} uses in ${found.files.map(({ yaml }) => yaml.file).join(", ")}`;
}
