import { type PinnedRepository, Refusal, type SigningKey } from "../../provisioner/core/task.ts";
import { keyFile } from "./files.ts";
import type { Params } from "./schema.ts";

/** A repository as it is wanted, whoever says where it is: the use, or versions.yaml. */
export interface Wanted {
  readonly sources: string;
  /** Text of the preferences; `undefined` where any version will do. */
  readonly preferences: string | undefined;
  /** A key that is fetched when it is missing; one whose text the use has itself is not told here. */
  readonly key: SigningKey | undefined;
}

/** What a use wants, on a machine of this os-release. */
export function wantedOf(
  params: Params,
  pinned: PinnedRepository | undefined,
  osRelease: string | undefined,
): Wanted {
  const { uris = [], suites = [], components = [] } = pinned ?? params;
  const place = { uris, suites, components };
  const sources = sourcesText(params, pinned ? filledIn(place, osRelease) : place);
  return { sources, preferences: preferencesText(pinned?.packages ?? {}), key: pinned?.key };
}

/** Whether what os-release says is part of where the repository is. */
export function hasPlaceholders({ uris, suites }: PinnedRepository): boolean {
  return [...uris, ...suites].some((text) => text.includes("{"));
}

interface Place {
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  readonly components: readonly string[];
}

/** Without a machine there is nothing to fill in: a plan shows the words as they stand in versions.yaml. */
function filledIn({ uris, suites, components }: Place, osRelease: string | undefined): Place {
  if (osRelease === undefined) return { uris, suites, components };
  const fill = (text: string) =>
    text
      .replaceAll("{distribution}", () => said("ID", osRelease))
      .replaceAll("{codename}", () => said("VERSION_CODENAME", osRelease));
  return { uris: uris.map(fill), suites: suites.map(fill), components };
}

function said(name: string, osRelease: string): string {
  const [, value] = new RegExp(`^${name}=["']?([a-z0-9._-]+)["']?$`, "m").exec(osRelease) ?? [];
  if (value !== undefined) return value;
  throw new Refusal(
    `the machine's /etc/os-release must say ${name}, does not; say uris and suites in the spec itself`,
  );
}

function sourcesText(params: Params, { uris, suites, components }: Place): string {
  const { name, architectures = [], types = ["deb"], keyring } = params;
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

/** The pinned version, and no other: a repository that has it no more must not bring what nobody has pinned. */
function preferencesText(packages: PinnedRepository["packages"]): string | undefined {
  const stanza = (name: string, version: string, priority: number) =>
    `Package: ${name}\nPin: version ${version}\nPin-Priority: ${priority}\n`;
  const stanzas = Object.entries(packages).flatMap(([name, version]) => [
    stanza(name, version, 1001),
    stanza(name, "*", -1),
  ]);
  return stanzas.length === 0 ? undefined : stanzas.join("\n");
}
