import type { Static } from "typebox";

import { Type } from "../../provisioner/core/schema.ts";
import {
  type Action,
  atLeastOne,
  type Change,
  defineTask,
  differences,
  Refusal,
} from "../../provisioner/core/task.ts";
import { aptEnvironment, aptScript, BROKEN } from "../scripts/apt-script.ts";
import { aptWaits, waitWords } from "../scripts/apt-waits.ts";
import { trialRepository } from "./trial.ts";

// No trailing hyphen: apt-get would take it for "remove".
const NAME = "[a-z0-9][a-z0-9+.-]*[a-z0-9+.](:[a-z0-9]+)?";

function packages(pattern: string, description: string) {
  const item = Type.String({ pattern: `^${pattern}$` });
  return Type.Optional(Type.Array(item, { minItems: 1, uniqueItems: true, description }));
}

const schema = Type.Object(
  {
    name: Type.Optional(
      Type.String({ minLength: 1, description: "What the packages are for; left out: their names" }),
    ),
    present: packages(
      `${NAME}(=[A-Za-z0-9.+:~-]+)?`,
      "Packages that are installed, in any version or in exactly the one after the =",
    ),
    absent: packages(NAME, "Packages that are not installed; their settings under /etc may stay"),
    purged: packages(NAME, "Packages of which not even settings are left"),
    recommends: Type.Optional(
      Type.Boolean({ default: false, description: "Install recommended packages too" }),
    ),
    changeHeld: Type.Optional(
      Type.Boolean({ default: false, description: "Change packages on hold (apt-mark hold) as well" }),
    ),
    unsafeIo: Type.Optional(
      Type.Boolean({
        default: false,
        description: "Do not wait for the disk (dpkg's force-unsafe-io): for machines that may be lost",
      }),
    ),
    ...aptWaits,
    timeoutMinutes: Type.Optional(
      Type.Integer({ minimum: 1, default: 60, description: "How long the whole may take" }),
    ),
  },
  { additionalProperties: false, ...atLeastOne("present", "absent", "purged") },
);

type Params = Static<typeof schema>;

/**
 * Debian packages, all of a use in one transaction: what goes and what comes are solved together. Lists are
 * read anew when they are old; locks are waited for; what dpkg left half done is put right first.
 */
export const apt = defineTask({
  name: "apt",
  summary: "Debian packages that are installed, removed or purged, in one transaction.",
  schema,
  examples: [
    { title: "Install packages", params: { present: ["ca-certificates", "curl"] } },
    {
      title: "One in an exact version",
      params: { present: ["containerd=1.7.24~ds1-6"] },
      trial: { given: [trialRepository], instead: { present: ["trial-package=1.0"] } },
    },
    {
      title: "Change the mail server, in a machine that is thrown away",
      params: { name: "mail", present: ["postfix"], purged: ["exim4-base"], unsafeIo: true },
    },
  ],

  spoil({ present = [], absent = [], purged = [] }) {
    const last = present.at(-1);
    const [verb, name] =
      last === undefined ? ["install", absent[0] ?? purged[0]] : ["purge", split(last).name];
    const command = { argv: ["apt-get", "-q", "-y", verb, name ?? ""], env: aptEnvironment } as const;
    return [{ kind: "run", command, timeoutMs: 1_800_000 }];
  },

  subject: ({ name, present = [], absent = [], purged = [] }) =>
    name ?? [...present, ...[...absent, ...purged].map((gone) => `no ${gone}`)].join(", "),

  async read(facts, { present = [], absent = [], purged = [] }): Promise<State> {
    const names = [...present.map((item) => split(item).name), ...absent, ...purged];
    const [versions, broken, rest] = await Promise.all([
      Promise.all(names.map(async (name) => [name, await facts.package(name)] as const)),
      facts.query({ argv: ["sh", "-c", BROKEN, "provision-apt-broken"] }),
      purged.length === 0
        ? undefined
        : facts.query({ argv: ["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package}\\n", ...purged] }),
    ]);
    return {
      versions: new Map(versions),
      broken: broken.stdout.trim(),
      leftovers: (rest?.stdout ?? "")
        .split("\n")
        .filter((line) => line.startsWith("config-files "))
        .map((line) => line.slice("config-files ".length)),
    };
  },

  plan(params, state) {
    refuseContradictions(params);
    return differences(
      {
        what: "interrupted packages",
        from: state.broken || undefined,
        to: undefined,
        actions: [transaction(params, "repair")],
      },
      planPackages(params, state),
    );
  },
});

const APT = aptScript();

interface State {
  readonly versions: ReadonlyMap<string, string | undefined>;
  /** What dpkg left in the middle of something; empty when there is none. */
  readonly broken: string;
  /** Purged ones that are removed, but for their settings. */
  readonly leftovers: readonly string[];
}

function planPackages(params: Params, { versions, leftovers }: State): Change {
  const { present = [], absent = [], purged = [] } = params;
  const coming = present.filter((item) => {
    const { name, version } = split(item);
    const found = versions.get(name);
    return found === undefined || (version !== undefined && found !== version);
  });
  const removed = absent.filter((name) => versions.get(name) !== undefined);
  const erased = purged.filter((name) => versions.get(name) !== undefined || leftovers.includes(name));
  const found = (name: string) =>
    `${name} ${versions.get(name) ?? (leftovers.includes(name) ? "settings" : "absent")}`;
  const from = [...coming.map((item) => split(item).name), ...removed, ...erased].map(found);
  const to = [
    ...coming.map((item) => `${split(item).name} ${split(item).version ?? "installed"}`),
    ...removed.map((name) => `${name} absent`),
    ...erased.map((name) => `${name} purged`),
  ];
  return {
    what: "packages",
    from: from.join("\n"),
    to: to.join("\n"),
    actions: transactions(params, { coming, removed, erased }),
  };
}

/** What comes and what goes in one; what is to be purged is gone by then, and its settings follow. */
function transactions(
  params: Params,
  { coming, removed, erased }: Record<"coming" | "removed" | "erased", readonly string[]>,
): readonly Action[] {
  const purge = erased.length === 0 ? [] : [transaction(params, "purge", erased)];
  if (coming.length > 0) {
    const going = [...removed, ...erased].map((name) => `${name}-`);
    return [transaction(params, "install", [...coming, ...going]), ...purge];
  }
  return removed.length > 0 ? [transaction(params, "remove", [...removed, ...erased]), ...purge] : purge;
}

function transaction(params: Params, verb: string, names: readonly string[] = []): Action {
  const { timeoutMinutes = 60 } = params;
  const flags = names.length === 0 ? [] : flagsOf(params, names);
  return {
    kind: "run",
    detached: true,
    timeoutMs: timeoutMinutes * 60_000,
    command: {
      argv: ["sh", "-c", APT, "provision-apt", ...waitWords(params), verb, ...flags, ...names],
      env: aptEnvironment,
    },
  };
}

function flagsOf({ recommends, changeHeld, unsafeIo }: Params, names: readonly string[]): readonly string[] {
  return [
    recommends ? "--install-recommends" : "--no-install-recommends",
    ...(changeHeld ? ["--allow-change-held-packages"] : []),
    ...(names.some((name) => name.includes("=")) ? ["--allow-downgrades"] : []),
    ...(unsafeIo ? ["-o", "Dpkg::Options::=--force-unsafe-io"] : []),
  ];
}

function refuseContradictions({ present = [], absent = [], purged = [] }: Params): void {
  const names = [...present.map((item) => split(item).name), ...absent, ...purged];
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new Refusal(`"${twice}" must be named once, is named twice`);
}

function split(item: string): { readonly name: string; readonly version: string | undefined } {
  const [name = "", version] = item.split("=");
  return { name, version };
}
