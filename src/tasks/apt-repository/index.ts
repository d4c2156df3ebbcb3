import {
  type Action,
  type Change,
  defineTask,
  differences,
  digestOf,
  Refusal,
  write,
} from "../../provisioner/core/task.ts";
import { waitForLocks } from "../scripts/wait-for-locks.ts";
import { exampleKey } from "./example-key.ts";
import { readKeys } from "./openpgp.ts";
import { type Params, schema } from "./schema.ts";

/**
 * A repository for apt, signed by a key whose fingerprint the spec pins. The fingerprint is worked out here,
 * from the key itself, so that nothing of it reaches the machine before it is known to be the right one.
 */
export const aptRepository = defineTask({
  name: "apt-repository",
  summary: "A package repository for apt (deb822), signed by a key with a pinned fingerprint.",
  schema,
  examples: [
    {
      title: "A vendor's repository",
      params: {
        name: "vendor",
        uris: ["https://packages.example.org/debian"],
        suites: ["trixie"],
        components: ["stable"],
        key: { content: exampleKey.text, fingerprints: [exampleKey.fingerprint] },
      },
    },
    {
      title: "Debian's backports, by the distribution's own keyring",
      params: {
        name: "backports",
        uris: ["https://mirror.example.org/debian"],
        suites: ["trixie-backports"],
        components: ["main"],
        keyring: "/usr/share/keyrings/debian-archive-keyring.gpg",
      },
    },
    { title: "Remove one", params: { name: "former-vendor", state: "absent" } },
  ],

  subject: ({ name }) => name,

  owns: ({ name }) => [keyFile(name), sourcesFile(name)],

  async read(facts, { name, key, state }): Promise<State> {
    const isPresent = state !== "absent";
    const [wantedKey, foundKey, sources, stamp] = await Promise.all([
      key?.source !== undefined && isPresent ? facts.sourceText(key.source) : key?.content,
      facts.file(keyFile(name)),
      facts.file(sourcesFile(name)),
      facts.file(stampFile(name)),
    ]);
    return { wantedKey, foundKey, sources, stamp };
  },

  plan(params, state) {
    const { name, key } = params;
    const isPresent = params.state !== "absent";
    if (isPresent && key) refuseOtherKeys(key.fingerprints, state.wantedKey ?? "");
    const wantedKey = isPresent && key ? state.wantedKey : undefined;
    const sources = isPresent ? sourcesText(params) : undefined;
    const stamp = sources && digestOf(sources + (wantedKey ?? ""));
    const removeKey = planFile(keyFile(name), state.foundKey, undefined);
    if (sources === undefined || stamp === undefined) {
      const lists: Action = { kind: "remove", path: stampFile(name) };
      return differences(
        // The key goes only after the sources that name it.
        planFile(sourcesFile(name), state.sources, undefined),
        removeKey,
        { what: `${name} lists`, from: state.stamp, to: undefined, actions: [lists] },
      );
    }
    return differences(
      ...(key ? [planFile(keyFile(name), state.foundKey, wantedKey)] : []),
      { what: `${name} lists`, from: state.stamp, to: stamp, actions: readLists(name, sources, stamp) },
      planFile(sourcesFile(name), state.sources, sources),
      ...(key ? [] : [removeKey]),
    );
  },
});

interface State {
  readonly wantedKey: string | undefined;
  readonly foundKey: string | undefined;
  readonly sources: string | undefined;
  /** The digest of what the lists were last read with. */
  readonly stamp: string | undefined;
}

const STAMPS = "/var/lib/provision/stamps";
const TRIAL = "/var/lib/provision/trial";

function refuseOtherKeys(pinned: readonly string[], key: string): void {
  const reading = readKeys(key);
  if ("wrong" in reading) throw new Refusal(`the key ${reading.wrong}`);
  const wanted = pinned.map((fingerprint) => fingerprint.replaceAll(" ", "").toUpperCase());
  const other = reading.fingerprints.find((fingerprint) => !wanted.includes(fingerprint));
  if (other !== undefined) {
    throw new Refusal(`the key must have the fingerprint ${wanted.join(" or ")}, has ${other}`);
  }
  const missing = wanted.find((fingerprint) => !reading.fingerprints.includes(fingerprint));
  if (missing !== undefined) {
    throw new Refusal(`the key must hold ${missing}, holds only ${reading.fingerprints.join(" and ")}`);
  }
}

function planFile(path: string, from: string | undefined, to: string | undefined): Change {
  const directory = { kind: "directory", path: path.slice(0, path.lastIndexOf("/")) } as const;
  const actions: readonly Action[] =
    to === undefined ? [{ kind: "remove", path }] : [directory, write(path, to)];
  return { what: path, from, to, actions };
}

function sourcesText(params: Params): string {
  const {
    name,
    uris = [],
    suites = [],
    components = [],
    architectures = [],
    types = ["deb"],
    keyring,
  } = params;
  const isFlat = suites.every((suite) => suite.endsWith("/"));
  if (isFlat !== (components.length === 0)) {
    throw new Refusal(
      isFlat
        ? "a flat repository (suites that end in /) must have no components, has some"
        : "must have components, has none; a flat repository's suites end in /",
    );
  }
  const fields = {
    Types: types,
    URIs: uris,
    Suites: suites,
    Components: components,
    Architectures: architectures,
    "Signed-By": [keyring ?? keyFile(name)],
  };
  return Object.entries(fields)
    .filter(([, words]) => words.length > 0)
    .map(([field, words]) => `${field}: ${words.join(" ")}\n`)
    .join("");
}

/** Reads this repository's lists alone; those of the others stay. */
const REFRESH = `
set -u
${waitForLocks()}
wait_for_locks "$1"
exec apt-get -q -o Acquire::Retries=3 -o APT::Update::Error-Mode=any -o APT::Get::List-Cleanup=false \\
  -o Dir::Etc::sourcelist="$2" -o Dir::Etc::sourceparts=- update
`;

/** On trial first: sources that cannot be read would stop every later update of the whole machine. */
function readLists(name: string, sources: string, stamp: string): readonly Action[] {
  const trial = `${TRIAL}/${name}.sources`;
  const argv = ["sh", "-c", REFRESH, "provision-apt-update", "600", trial] as const;
  return [
    { kind: "directory", path: TRIAL },
    write(trial, sources),
    { kind: "run", detached: true, timeoutMs: 1_800_000, command: { argv } },
    { kind: "remove", path: TRIAL },
    { kind: "directory", path: STAMPS },
    write(stampFile(name), stamp),
  ];
}

function keyFile(name: string): string {
  return `/etc/apt/keyrings/${name}.asc`;
}

function sourcesFile(name: string): string {
  return `/etc/apt/sources.list.d/${name}.sources`;
}

function stampFile(name: string): string {
  return `${STAMPS}/apt-repository-${name}`;
}
