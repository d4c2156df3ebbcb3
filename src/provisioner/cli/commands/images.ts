import { defineCommand, helpEnd } from "../command.ts";
import { findProject } from "../project.ts";
import { runSession } from "../session.ts";
import { table } from "../table.ts";

export const images = defineCommand({
  declare(command) {
    command
      .description(
        "Lists the images that were built, by name, the newest last; * marks what `latest` points at.",
      )
      .addHelpText("after", helpEnd(["provision images", "provision images --json"], [0]));
  },
  act({ shell, flags }) {
    return runSession({ shell, flags, command: "images", quiet: true }, async ({ result }) => {
      const { listImages } = await import("../../image/image-store.ts");
      const { imagesDir } = findProject(shell);
      const found = await listImages(imagesDir);
      const rows = found.map(({ name, version, latest, path, manifest }) => [
        name,
        `${version}${latest ? "*" : ""}`,
        `${Math.round(manifest.image.bytes / 1024 ** 2)} MiB`,
        manifest.built.at,
        path,
      ]);
      const data = found.map(({ name, version, latest, path, manifest }) => ({
        name,
        version,
        latest,
        path,
        manifest,
      }));
      const none = `No images in ${imagesDir}; \`provision build --spec base\` makes one`;
      result(rows.length === 0 ? none : table(["NAME", "VERSION", "SIZE", "BUILT", "FILE"], rows), data);
      return "as-wanted";
    });
  },
});
