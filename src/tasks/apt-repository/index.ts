import {
  type Action,
  type Change,
  defineTask,
  differences,
  digestOf,
  type Facts,
  otherThanPinned,
  type PinnedRepository,
  readKeys,
  Refusal,
  type SigningKey,
  write,
} from "../../provisioner/core/task.ts";
import { exampleKey } from "./example-key.ts";
import { keyFile, preferencesFile, sourcesFile, stampFile } from "./files.ts";
import { readLists } from "./read-lists.ts";
import { type Params, schema } from "./schema.ts";
import { trialGiven, trialRepository } from "./trial.ts";
import { hasPlaceholders, type Wanted, wantedOf } from "./wanted.ts";

const vendor = {
  name: "vendor",
  uris: ["https://packages.example.org/debian"],
  suites: ["trixie"],
  components: ["stable"],
  key: { content: exampleKey.text, fingerprints: [exampleKey.fingerprint] },
};

/**
 * A repository for apt, signed by a key whose fingerprint is pinned. The fingerprint is worked out here, from the
 * key itself, so that nothing of it reaches the machine before it is known to be the right one.
 */
export const aptRepository = defineTask({
  name: "apt-repository",
  summary: "A package repository for apt (deb822), signed by a key with a pinned fingerprint.",
  schema,
  examples: [
    { title: "One that versions.yaml pins", params: { name: "fluent-bit", pinned: "fluent-bit" } },
    {
      title: "A vendor's repository",
      params: vendor,
      trial: { given: trialGiven, instead: { ...vendor, uris: [`file:${trialRepository}`] } },
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
      trial: {
        instead: {
          name: "backports",
          uris: ["http://deb.debian.org/debian"],
          suites: ["trixie-backports"],
          components: ["main"],
          keyring: "/usr/share/keyrings/debian-archive-keyring.gpg",
        },
        only: { bases: ["debian-13", "debian-13-cloud"], because: "its suite is that of Debian 13" },
      },
    },
    { title: "Remove one", params: { name: "former-vendor", state: "absent" } },
  ],

  // What is to be absent comes back; what is to be there is removed.
  spoil: ({ name, state }) => (state === "absent" ? [write(preferencesFile(name), "spoiled\n")] : undefined),

  subject: ({ name }) => name,

  owns: ({ name }) => [keyFile(name), sourcesFile(name), preferencesFile(name)],

  async read(facts, params): Promise<State> {
    const { name, key, pinned } = params;
    const isPresent = params.state !== "absent";
    const [repository, wantedKey, foundKey, sources, preferences, stamp] = await Promise.all([
      isPresent && pinned !== undefined ? readPinned(facts, pinned) : undefined,
      key?.source !== undefined && isPresent ? facts.sourceText(key.source) : key?.content,
      facts.file(keyFile(name)),
      facts.file(sourcesFile(name)),
      facts.file(preferencesFile(name)),
      facts.file(stampFile(name)),
    ]);
    return { ...repository, wantedKey, foundKey, sources, preferences, stamp };
  },

  plan(params, state) {
    if (params.state === "absent") return planAbsence(params, state);
    const { name, key } = params;
    if (key) refuseOtherKeys(key.fingerprints, state.wantedKey ?? "");
    const wanted = wantedOf(params, state.pinned, state.osRelease);
    const signedBy = wanted.key?.fingerprints.join(" ") ?? state.wantedKey ?? "";
    const stamp = digestOf(wanted.sources + signedBy);
    const keyChange = planKey(name, wanted, state);
    const isOurs = (key ?? wanted.key) !== undefined;
    return differences(
      ...(isOurs ? [keyChange] : []),
      // Before the sources: from the moment they are there, only what is pinned may come from them.
      planFile(preferencesFile(name), state.preferences, wanted.preferences),
      {
        what: `${name} lists`,
        from: state.stamp,
        to: stamp,
        actions: readLists(name, wanted.sources, stamp),
      },
      planFile(sourcesFile(name), state.sources, wanted.sources),
      ...(isOurs ? [] : [keyChange]),
    );
  },
});

interface State {
  /** What versions.yaml says, of a use that leaves it to that. */
  readonly pinned?: PinnedRepository;
  readonly osRelease?: string | undefined;
  /** The text of the key that the use has itself. */
  readonly wantedKey: string | undefined;
  readonly foundKey: string | undefined;
  readonly sources: string | undefined;
  readonly preferences: string | undefined;
  /** The digest of what the lists were last read with. */
  readonly stamp: string | undefined;
}

async function readPinned(facts: Facts, name: string): Promise<Pick<State, "pinned" | "osRelease">> {
  const pinned = await facts.repository(name);
  return { pinned, osRelease: hasPlaceholders(pinned) ? await facts.file("/etc/os-release") : undefined };
}

function refuseOtherKeys(pinned: readonly string[], key: string): void {
  const reason = otherThanPinned(key, pinned);
  if (reason !== undefined) throw new Refusal(reason);
}

function planAbsence({ name }: Params, state: State): readonly Change[] {
  return differences(
    // The key goes only after the sources that name it.
    planFile(sourcesFile(name), state.sources, undefined),
    planFile(preferencesFile(name), state.preferences, undefined),
    planFile(keyFile(name), state.foundKey, undefined),
    {
      what: `${name} lists`,
      from: state.stamp,
      to: undefined,
      actions: [{ kind: "remove", path: stampFile(name) }],
    },
  );
}

function planKey(name: string, { key }: Wanted, { wantedKey, foundKey }: State): Change {
  if (key === undefined) return planFile(keyFile(name), foundKey, wantedKey);
  return planPinnedKey(keyFile(name), foundKey, key);
}

/** What is there is judged by what it holds: nothing is fetched to compare it with. */
function planPinnedKey(path: string, found: string | undefined, key: SigningKey): Change {
  const wanted = key.fingerprints.join(" ");
  const isRight = found !== undefined && otherThanPinned(found, key.fingerprints) === undefined;
  return {
    what: path,
    from: isRight ? wanted : found && shownKeys(found),
    to: wanted,
    actions: [parentOf(path), { kind: "fetch-key", path, key }],
  };
}

function shownKeys(text: string): string {
  const reading = readKeys(text);
  return "wrong" in reading ? "no key" : `${reading.fingerprints.join(" ")} (another key)`;
}

function planFile(path: string, from: string | undefined, to: string | undefined): Change {
  const actions: readonly Action[] =
    to === undefined ? [{ kind: "remove", path }] : [parentOf(path), write(path, to)];
  return { what: path, from, to, actions };
}

function parentOf(path: string): Action {
  return { kind: "directory", path: path.slice(0, path.lastIndexOf("/")) };
}
