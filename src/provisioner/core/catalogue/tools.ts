import { entry } from "./entry.ts";

/** What goes wrong where tools are installed. */
export const tools = {
  TOOL_CONTENT_MISSING: entry<{ tool: string; artifact: string; path: string; found: string | undefined }>({
    exit: 5,
    say: ({ tool, artifact, path }) => `Cannot install ${tool}: ${artifact} must hold "${path}", does not`,
    mend: ({ tool, found }) =>
      `Correct the paths of ${tool} in versions.yaml${found === undefined ? ": `tar -tf` shows what the archive holds" : `: the archive holds "${found}"`}`,
  }),
  TOOL_PROGRAM_WRONG: entry<{ tool: string; path: string; architecture: string; got: string }>({
    exit: 5,
    say: ({ tool, path, architecture, got }) =>
      `Cannot install ${tool}: "${path}" must be an ELF program for ${architecture} or a script, is ${got}`,
    mend: ({ tool }) => `Correct \`artifact\`, \`arch\` or \`binary\` of ${tool} in versions.yaml`,
  }),
  TOOL_LINK_BROKEN: entry<{ tool: string; path: string }>({
    exit: 5,
    say: ({ tool, path }) =>
      `Cannot install ${tool}: the link "${path}" must lead to a file of the tool, does not`,
    mend: ({ tool }) =>
      `Correct \`root\` of ${tool} in versions.yaml, so that the link's target comes with it`,
  }),
  TOOL_PLACE_RESERVED: entry<{ tool: string; path: string }>({
    exit: 5,
    say: ({ tool, path }) => `Cannot install ${tool}: "${path}" must be left to provision, is in its archive`,
    mend: ({ tool }) => `Correct \`extract_to\` or \`root\` of ${tool} in versions.yaml`,
  }),
  TOOL_IN_THE_WAY: entry<{ tool: string; paths: readonly string[] }>({
    exit: 5,
    say: ({ tool, paths }) =>
      `Cannot install ${tool}: the place of its links must be free, ${paths.map((path) => `"${path}"`).join(", ")} is somebody else's`,
    mend: ({ tool }) =>
      `Move it away, or run \`provision install --force ${tool}\`, which puts it into share/provision/replaced`,
  }),
  TOOLS_CLASH: entry<{ path: string; one: string; other: string }>({
    exit: 2,
    say: ({ path, one, other }) => `Cannot install ${one} beside ${other}: both bring "${path}"`,
    mend: ({ one, other }) =>
      `Install one of them (\`provision install --uninstall ${other}\`), or give a command of ${one} another name in versions.yaml`,
  }),
  TOOL_NO_PREVIOUS: entry<{ tool: string; version: string }>({
    exit: 5,
    say: ({ tool, version }) =>
      `Cannot roll back ${tool} ${version}: the version before must be kept, there is none`,
    mend: ({ tool }) =>
      `Pin the version that is wanted in versions.yaml and run \`provision install ${tool}\``,
  }),
  TOOLS_FAILED: entry<{ failed: readonly { name: string; reason: string; mend: string }[] }>({
    exit: 5,
    say: ({ failed }) =>
      `Cannot install ${failed.length} of the tools:\n${failed.map(({ name, reason }) => `${name}: ${reason}`).join("\n")}`,
    mend: ({ failed }) => [...new Set(failed.map(({ mend }) => mend))].join("; "),
  }),
  PREFIX_UNWRITABLE: entry<{ path: string; reason: string }>({
    exit: 5,
    say: ({ path, reason }) => `Cannot install into "${path}": it must be writable, is not: ${reason}`,
    mend: () => "Run as root for --system, name a place of yours with --prefix, or free space there",
  }),
  ARCHITECTURE_UNKNOWN: entry<{ got: string; known: readonly string[] }>({
    exit: 5,
    say: ({ got, known }) =>
      `Cannot choose tools for this machine: it must be ${known.join(" or ")}, is ${got}`,
    mend: () => "Run provision on another machine and let it install on this one over SSH",
  }),
} as const;
