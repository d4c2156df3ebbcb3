import type { Where } from "../core/errors.ts";
import type { Recipe, Use } from "../core/recipe.ts";
import type { Task } from "../core/task.ts";
import type { HostNetwork, HostSpec, HostUser } from "../spec/host-spec.ts";
import { sudoRules, sudoersFile } from "./host-seed.ts";

/** What identity is written with; tasks by their names. */
export interface IdentityTools {
  readonly task: (name: string) => Task;
  /** Lines of authorized_keys, by user. */
  readonly authorizedKeys: ReadonlyMap<string, readonly string[]>;
  /** Where the host's file says it. */
  readonly where: Where;
  /** Who could log in before, and may no longer. */
  readonly gone: readonly string[];
  /** Users whose login shell a task of the host decides on; nobody's when left out. */
  readonly ownShells?: readonly string[];
}

/**
 * A host's identity as uses: what cloud-init has made of the seed at the first boot is looked at in every run, in the
 * same flight as everything else, and follows the host's file from then on.
 */
export function identityRecipe(spec: HostSpec, tools: IdentityTools): Recipe {
  const use = (name: string, params: Readonly<Record<string, unknown>>): Use => {
    const task = tools.task(name);
    return { id: `${name} ${task.subject(params)}`, task, params, where: tools.where };
  };
  return [
    use("file", { path: "/etc/hostname", content: `${spec.name}\n` }),
    ...(spec.timezone === undefined ? [] : [use("timezone", { name: spec.timezone })]),
    ...spec.users.flatMap((user) => [
      use("user", accountOf(user, tools.ownShells?.includes(user.name) ?? false)),
      use("directory", { path: `/home/${user.name}/.ssh`, owner: user.name, group: user.name, mode: "0700" }),
      use("file", {
        path: `/home/${user.name}/.ssh/authorized_keys`,
        content: (tools.authorizedKeys.get(user.name) ?? []).map((line) => `${line}\n`).join(""),
        owner: user.name,
        group: user.name,
        mode: "0600",
      }),
    ]),
    use("file", { path: sudoersFile, content: sudoRules(spec.users), mode: "0440" }),
    ...(spec.networks.length === 0 ? [] : [use("network", { cards: spec.networks.map(cardOf) })]),
    // The account goes, the home stays: nothing that somebody made is thrown away.
    ...tools.gone.map((name) => use("user", { name, state: "absent" })),
  ];
}

/** A card without what its hypervisor knows, and without what is not said. */
function cardOf({ joins: _joins, addresses, gateways, dns, ...card }: HostNetwork): object {
  const { servers, search } = dns;
  return {
    ...card,
    ...(addresses.length > 0 && { addresses }),
    ...(gateways.length > 0 && { gateways }),
    ...(servers.length + search.length > 0 && {
      dns: { ...(servers.length > 0 && { servers }), ...(search.length > 0 && { search }) },
    }),
  };
}

function accountOf(
  { name, comment, groups, shell }: HostUser,
  hasOwnShell: boolean,
): Readonly<Record<string, unknown>> {
  return {
    name,
    ...(comment !== undefined && { comment }),
    groups,
    onlyGroups: true,
    ...(!hasOwnShell && { shell }),
    password: "locked",
  };
}
