import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { editScalars } from "../../src/provisioner/bump/edit-scalars.ts";
import { tagReader } from "../../src/provisioner/bump/read-tag.ts";
import { compareVersions, readVersion } from "../../src/provisioner/bump/version-order.ts";
import { wantedFiles } from "../../src/provisioner/bump/wanted-files.ts";
import { packageRoot } from "../../src/provisioner/cli/project.ts";
import { readManifest } from "../../src/provisioner/pins/read-manifest.ts";
import { architecturesOf, wordsOf } from "../../src/provisioner/pins/resolve-tool.ts";

const text = readFileSync(join(packageRoot(), "versions.yaml"), "utf8");
const tools = Object.entries(readManifest(text, "versions.yaml").tools ?? {});

const renewable = tools.filter(([, { bump }]) => bump?.hold === undefined || bump.hold === false);

describe.each(renewable)("%s of versions.yaml", (name, entry) => {
  it("can be renewed", () => {
    const { repo = entry.repo, match } = entry.bump ?? {};
    const [architecture = "x86_64"] = architecturesOf(entry);
    const { tag = "" } = wordsOf(entry, architecture);

    expect(repo).toMatch(/.\/./);
    expect(readVersion(entry.version)).toMatchObject({ stable: true });
    // Where bump.match says what a tag is, the template says nothing of tags.
    const read = match === undefined ? tagReader(name, entry)(tag) : entry.version;
    expect(read).toBe(entry.version);
    expect(compareVersions(`9${entry.version}`, entry.version)).toBeGreaterThan(0);
  });

  it("changes in the lines of its version and digests alone", () => {
    const paths = new Set(wantedFiles(name, entry).map(({ path }) => path.join("\0")));
    const digests = [...paths].map((path, index) => ({
      path: ["tools", name, ...path.split("\0").map((step) => (/^\d+$/.test(step) ? Number(step) : step))],
      value: `${index}`.repeat(64),
    }));
    const version = { path: ["tools", name, "version"], value: `9${entry.version}` };

    const edited = editScalars(text, [version, ...digests], "versions.yaml");

    const before = text.split("\n");
    const after = edited.split("\n");
    const changed = after.filter((line, index) => line !== before[index]);
    expect(after).toHaveLength(before.length);
    expect(changed.every((line) => line.includes(version.value) || /(\d)\1{63}/.test(line))).toBe(true);
    expect(changed.length).toBeGreaterThan(1);
    expect(changed.length).toBeLessThanOrEqual(1 + digests.length);
    expect(() => readManifest(edited, "versions.yaml")).not.toThrow();
  });
});
