import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { defineCommand, helpEnd } from "../command.ts";
import { packageRoot } from "../project.ts";
import { runSession } from "../session.ts";

export const docs = defineCommand<{ check?: boolean }>({
  declare(command) {
    command
      .description("Writes the pages and schemas that are generated from the sources.")
      .option("--check", "say which are stale, write nothing")
      .addHelpText("after", helpEnd(["provision docs"], [0, 3]));
  },
  act({ shell, flags }) {
    return runSession({ shell, flags, command: "docs", quiet: true }, async ({ result }) => {
      const [{ generatedPages }, { registry }, { buildProgram }] = await Promise.all([
        import("../pages.ts"),
        import("../compose.ts"),
        import("../program.ts"),
      ]);
      const pages = generatedPages(await buildProgram(shell, () => true), registry);
      const stale: string[] = [];
      for (const [path, text] of pages) {
        const file = join(packageRoot(), path);
        const before = await readFile(file, "utf8").catch(() => undefined);
        if (before === text) continue;
        stale.push(path);
        if (flags.check === true) continue;
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, text);
      }
      const verb = flags.check === true ? "stale" : "written";
      result(stale.map((path) => `${verb}: ${path}`).join("\n") || "every page is as it should be", {
        [verb]: stale,
      });
      return flags.check === true && stale.length > 0 ? "changes-wait" : "as-wanted";
    });
  },
});
