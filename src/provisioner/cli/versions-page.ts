import { manifestSchema } from "../pins/manifest.ts";
import { parameterRows, parameterTable } from "./task-page.ts";
import type { Schema } from "./task-page.ts";

/** The page about versions.yaml: its prose, and every key of its schema. */
export function versionsPage(): string {
  const { bases, drivers, tools, repositories } = manifestSchema.properties;
  const [bootstrap, cloudImage] = entryOf(bases)["anyOf"] as readonly [Schema, Schema];
  const {
    tools: _tools,
    bases: _bases,
    drivers: _drivers,
    repositories: _repositories,
    ...top
  } = manifestSchema.properties;
  return `${[
    prose,
    "## A tool",
    "",
    example,
    ...keys(entryOf(tools)),
    words,
    "## A base that is made here",
    "",
    ...keys(bootstrap),
    "## A base that is a vendor's image",
    "",
    ...keys(cloudImage),
    "## A package repository",
    "",
    repositoryWords,
    ...keys(entryOf(repositories)),
    "## A driver",
    "",
    driverWords,
    ...keys(entryOf(entryOf(drivers))),
    "## Mirrors",
    "",
    ...keys({ properties: top }),
  ]
    .join("\n")
    .trimEnd()}\n`;
}

/** What stands behind each name of a record. */
function entryOf(record: unknown): Schema {
  const [entry] = Object.values((record as { patternProperties: Record<string, Schema> }).patternProperties);
  return entry ?? {};
}

function keys(schema: Schema): readonly string[] {
  // The keys of a part are those of the tool itself.
  const rows = parameterRows(schema).filter(({ name }) => !name.startsWith("parts[]."));
  return [...parameterTable("Key", rows), ""];
}

const prose = `# versions.yaml

Every outside thing, pinned once: \`provision install\`, the \`tools\` task and image builds read this file, and
\`provision bump\` renews it. A file whose digest is not the one that stands here is never used, whatever server it came
from. \`tools\`, \`bases\`, \`drivers\`, \`repositories\` and \`mirrors\` are its keys; editors check it by
\`schema/versions.schema.json\`.
`;

const example = `\`\`\`yaml
tools:
  hello:
    version: "2.12" # quoted: YAML makes 1.10 a number otherwise
    repo: example/hello
    artifact: hello-{version}-{arch}-linux.tar.gz
    arch: { x86_64: amd64, aarch64: arm64 }
    sha256:
      x86_64: <64 hex digits>
      aarch64: <64 hex digits>
    binary: "{stem}/bin/hello"
    extra:
      - { from: "{stem}/hello.1", to: man1 }
\`\`\`

What is installed depends on the shape of the release:

- **a program in an archive**: \`binary\` is its path, with a folder or without; the rest of the archive is left out;
- **a whole tree**: \`extract_to\` says where it appears, \`root\` which folders of the archive it is; \`binary\` then says
  which of its programs get a link in \`bin\`. Where two folders have a file of one name, that of the later stays;
- **the program itself**, not packed: \`binary\` is the name it gets.

A prefix is \`~/.local\` for a user and \`/usr/local\` for a machine: \`extract_to: /usr/local/go\` is \`~/.local/go\` when a
user installs it, and \`extract_to: ~/.local\` is the prefix itself.
`;

const words = `In \`tag\`, \`artifact\`, \`url\`, \`binary\`, \`root\`, \`extra\` and \`bump.checksums\` these words are filled in: \`{version}\`,
\`{major}\`, \`{minor}\`, \`{tag}\`, \`{repo}\`, \`{os}\` (linux), \`{arch}\`, and where the file is known \`{artifact}\` (its name) and
\`{stem}\` (without the ending of its archive). Any other is an error. What differs by architecture is a mapping of
\`x86_64\` and \`aarch64\`. An artifact's URL is \`https://github.com/{repo}/releases/download/{tag}/{artifact}\` where
\`url\` does not say otherwise: nothing is asked of any API, so no token is needed.
`;

const repositoryWords = `\`\`\`yaml
repositories:
  vendor:
    uris: ["https://packages.example.org/{distribution}/{codename}"]
    suites: ["{codename}"]
    components: [main]
    key:
      url: https://packages.example.org/vendor.asc
      fingerprints: [<40 hex digits>]
    packages: { vendor-agent: "1.2.3-1" }
\`\`\`

A vendor's repository, which a use of \`apt-repository\` names by \`pinned\`. In \`uris\` and \`suites\` \`{distribution}\` and
\`{codename}\` are the machine's own, by ID and VERSION_CODENAME of its os-release; \`$(ARCH)\` is left to apt. The key is
downloaded by the machine that runs provision, through the same mirrors and proxies as everything else, and only when a
machine lacks it; one with another fingerprint is refused before anything reaches the machine. \`packages\` holds those of
which one version alone may be installed. \`provision bump\` renews tools and leaves this section as it is: a vendor's key
and versions are for a person to change, with the vendor's own announcement beside it.
`;

const driverWords = `A driver is compiled for a kernel, so both are pinned as one: by driver and by distribution, the combination that was seen
to build. A base that names it as \`driver\` has its packages in these versions, and its kernel in place of the newest;
the driver's task refuses any other kernel. [The nvidia profile](profiles/nvidia.md) says how to renew one.
`;
