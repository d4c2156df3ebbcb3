import { Type } from "../provisioner/core/schema.ts";
import { type Change, defineTask, differences, run, write } from "../provisioner/core/task.ts";

const locales = [{ apt: { present: ["locales"] } }];

/** A language that programs can speak; of Debian's package `locales`, which the target needs. */
export const locale = defineTask({
  name: "locale",
  summary: "A locale that is generated, and that may be the machine's default.",
  schema: Type.Object(
    {
      name: Type.String({
        pattern: "^[a-z]{2,3}_[A-Z]{2}\\.UTF-8(@[a-z]+)?$|^C\\.UTF-8$",
        description: "Locale: en_US.UTF-8 (the target needs package locales, C.UTF-8 aside)",
      }),
      default: Type.Optional(Type.Boolean({ default: false, description: "Make it the machine's LANG" })),
    },
    { additionalProperties: false },
  ),
  examples: [
    {
      title: "The machine speaks English",
      params: { name: "en_US.UTF-8", default: true },
      trial: { given: locales },
    },
    { title: "One user reads German", params: { name: "de_DE.UTF-8" }, trial: { given: locales } },
  ],

  spoil: ({ name }) => [run("sed", "-i", `s/^${name} /# &/`, LIST)],

  subject: ({ name }) => name,

  async read(facts, { name }): Promise<State> {
    const [wanted, generated, settings] = await Promise.all([
      name === BUILT_IN ? "" : facts.file(LIST),
      facts.query({ argv: ["locale", "-a"] }),
      facts.file(SETTINGS),
    ]);
    return {
      list: wanted,
      isGenerated: generated.stdout.split("\n").includes(asListed(name)),
      language: settings && /^LANG="?([^"\n]*)"?$/m.exec(settings)?.[1],
    };
  },

  plan({ name, default: isDefault }, { list, isGenerated, language }): readonly Change[] {
    const listed = name === BUILT_IN ? list : withLine(list ?? "", name);
    return differences(
      {
        what: `${LIST} ${name}`,
        from: list === listed ? "listed" : undefined,
        to: "listed",
        actions: [write(LIST, listed ?? "")],
      },
      {
        what: name,
        from: isGenerated ? "generated" : undefined,
        to: "generated",
        actions: [{ ...run("locale-gen"), timeoutMs: 1_800_000 }],
      },
      {
        what: "LANG",
        from: language,
        to: isDefault ? name : language,
        // Debian 13 has moved the file, and older ones read the old place: the tool knows its own.
        actions: [run("update-locale", `LANG=${name}`)],
      },
    );
  },
});

const LIST = "/etc/locale.gen";
/** Debian 13 keeps a link to /etc/locale.conf here. */
const SETTINGS = "/etc/default/locale";
/** Part of libc itself. */
const BUILT_IN = "C.UTF-8";

interface State {
  readonly list: string | undefined;
  readonly isGenerated: boolean;
  readonly language: string | undefined;
}

/** locale.gen with the locale's line no longer a comment, or added when Debian does not offer it. */
function withLine(list: string, name: string): string {
  const line = `${name} UTF-8`;
  const lines = list.split("\n");
  if (lines.some((found) => words(found) === line)) return list;
  const offered = lines.findIndex((found) => words(found.replace(/^\s*#/, "")) === line);
  if (offered >= 0) return lines.with(offered, line).join("\n");
  return `${list}${list === "" || list.endsWith("\n") ? "" : "\n"}${line}\n`;
}

function words(line: string): string {
  return line.trim().split(/\s+/).join(" ");
}

/** `locale -a` writes de_DE.utf8@euro for de_DE.UTF-8@euro. */
function asListed(name: string): string {
  return name.replace("UTF-8", "utf8");
}
