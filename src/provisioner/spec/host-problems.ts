import type { Complaint } from "../core/errors.ts";
import { interfaceName } from "./fill-host.ts";
import type { HostText } from "./host-schema.ts";
import { networkProblems } from "./network-problems.ts";
import { isPublicKey } from "./public-key.ts";
import type { Path, YamlFile } from "./read-yaml.ts";
import type { Problem } from "./read-union.ts";

/** A label of DNS that is no number: "127" would be taken for an address. */
const hostNamePattern = /^(?=.*[a-z])[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** What is wrong with the name of a host's file, which is the host's own. */
export function nameComplaints(name: string, { file }: YamlFile): readonly Complaint[] {
  if (hostNamePattern.test(name)) return [];
  const must = "must be a name for DNS (lower-case letters, digits and hyphens inside, at most 63)";
  const where = { file, line: 1, column: 1 };
  return [{ where, what: `Cannot name a host after its file: ${must}, is "${name}"` }];
}

/** What no schema can say of a host; of its values, each must have the form that the schema wants. */
export function hostProblems(text: HostText): readonly Problem[] {
  const { networks = [], users = [], extraDisks = [] } = text;
  return [
    ...missing(text),
    ...networks.flatMap((card, index) => networkProblems(card, ["networks", index])),
    ...repeated(networks.map(interfaceName), (index) => ["networks", index, "interface"]),
    ...repeated(
      networks.map(({ mac }) => mac),
      (index) => ["networks", index, "mac"],
    ),
    ...secondRoutes(networks),
    ...repeated(
      extraDisks.map(({ name }) => name),
      (index) => ["extraDisks", index, "name"],
    ),
    ...repeated(
      users.map(({ name }) => name),
      (index) => ["users", index, "name"],
    ),
    ...users.flatMap(userProblems),
    ...labelProblems(text.labels ?? {}),
  ];
}

function missing({ image, users }: HostText): readonly Problem[] {
  const top = (says: string): Problem => ({ path: [], part: "value", says });
  return [
    ...(image === undefined ? [top('must have "image", here or in defaults.yaml, has none')] : []),
    ...(users === undefined ? [top('must have "users", here or in defaults.yaml, has none')] : []),
    ...(users && !users.some(({ sudo }) => sudo)
      ? [value(["users"], "must hold one with `sudo: true`, as who the host is set up, holds none")]
      : []),
  ];
}

function userProblems({ name, keys }: NonNullable<HostText["users"]>[number], index: number): Problem[] {
  const at = ["users", index];
  const cut = keys.flatMap((key, place) =>
    typeof key !== "string" || key === "agent" || isPublicKey(key)
      ? []
      : [value([...at, "keys", place], "must be a whole public key, is damaged")],
  );
  return name === "root"
    ? [value([...at, "name"], 'must be a person, who becomes root by sudo, is "root"'), ...cut]
    : cut;
}

/** A second router to everywhere would leave it to chance which one answers go through. */
function secondRoutes(networks: NonNullable<HostText["networks"]>): readonly Problem[] {
  const families = networks.map(({ gateways = [] }) =>
    gateways.map((gateway) => (gateway.includes(":") ? 6 : 4)),
  );
  return families.flatMap((own, index) =>
    own.flatMap((family, place) => {
      const first = families.findIndex((other) => other.includes(family));
      const says = `must be the one way out for IPv${family}, is the second after networks[${first}]`;
      return first === index ? [] : [value(["networks", index, "gateways", place], says)];
    }),
  );
}

function labelProblems(labels: Readonly<Record<string, string>>): readonly Problem[] {
  return Object.keys(labels)
    .filter((key) => !/^[A-Za-z0-9][A-Za-z0-9._/-]*$/.test(key))
    .map((key) => ({
      path: ["labels", key],
      part: "key",
      says: `must be letters, digits and . _ / - inside, is ${JSON.stringify(key)}`,
    }));
}

function repeated(names: readonly (string | undefined)[], path: (index: number) => Path): Problem[] {
  return names.flatMap((name, index) =>
    name === undefined || names.indexOf(name) === index
      ? []
      : [value(path(index), `must be given once, is "${name}" again`)],
  );
}

function value(path: Path, says: string): Problem {
  return { path, part: "value", says };
}
