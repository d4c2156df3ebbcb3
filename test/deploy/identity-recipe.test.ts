import { describe, expect, it } from "vitest";

import { identityRecipe } from "../../src/provisioner/deploy/identity-recipe.ts";
import type { HostSpec } from "../../src/provisioner/spec/host-spec.ts";
import { tasks } from "../../src/tasks/index.ts";
import { alice } from "../support/fake-deployment.ts";
import { someHost } from "../support/some-host.ts";
import { complaints } from "../support/tasks.ts";

const where = { file: "hosts/web.yaml", line: 1, column: 1 };
const bob = { ...alice, name: "bob", comment: undefined, groups: [], sudo: false };

function recipe(spec: Partial<HostSpec> = {}, gone: readonly string[] = []) {
  return identityRecipe(someHost({ users: [alice, bob], ...spec }), {
    task: (name) => tasks.find((task) => task.name === name) ?? fail(name),
    authorizedKeys: new Map([["alice", ["ssh-ed25519 AAAA one", "ssh-ed25519 BBBB two"]]]),
    where,
    gone,
  });
}

function fail(name: string): never {
  throw new Error(`There is no task "${name}"`);
}

const ids = (uses: ReturnType<typeof recipe>) => uses.map(({ id }) => id);

describe("identityRecipe", () => {
  it("is the host's name, its users with their keys, and who may do everything", () => {
    expect(ids(recipe())).toEqual([
      "file /etc/hostname",
      "user alice",
      "directory /home/alice/.ssh",
      "file /home/alice/.ssh/authorized_keys",
      "user bob",
      "directory /home/bob/.ssh",
      "file /home/bob/.ssh/authorized_keys",
      "file /etc/sudoers.d/50-provision",
      "network /etc/netplan/50-cloud-init.yaml",
    ]);
  });

  it("says nothing that a task would not take, and whose each use is", () => {
    for (const { task, params, where: said } of recipe({ timezone: "Europe/Berlin" }, ["carol"])) {
      expect(complaints(task, params)).toEqual([]);
      expect(said).toBe(where);
    }
  });

  it("leaves the login shell to a task of the host that decides on it", () => {
    const shells = identityRecipe(someHost({ users: [alice, bob] }), {
      task: (name) => tasks.find((task) => task.name === name) ?? fail(name),
      authorizedKeys: new Map(),
      where,
      gone: [],
      ownShells: ["bob"],
    }).flatMap(({ task, params }) => (task.name === "user" ? [params] : []));

    expect(shells).toEqual([
      expect.objectContaining({ name: "alice", shell: alice.shell }),
      expect.not.objectContaining({ shell: bob.shell }),
    ]);
  });

  it("gives a user every key of his, and one without keys an empty file", () => {
    const contents = recipe().flatMap(({ id, params }) => (id.endsWith("_keys") ? [params] : []));

    expect(contents).toEqual([
      expect.objectContaining({ content: "ssh-ed25519 AAAA one\nssh-ed25519 BBBB two\n", mode: "0600" }),
      expect.objectContaining({ content: "", owner: "bob", mode: "0600" }),
    ]);
  });

  it("settles a time zone where the host's file names one", () => {
    const zones = (uses: ReturnType<typeof recipe>) =>
      uses.flatMap(({ task, params }) => (task.name === "timezone" ? [params] : []));

    expect(zones(recipe({ timezone: "Europe/Berlin" }))).toEqual([{ name: "Europe/Berlin" }]);
    expect(zones(recipe())).toEqual([]);
  });

  it("takes who went away last, and leaves the home", () => {
    const uses = recipe({}, ["carol"]);

    expect(uses.at(-1)).toMatchObject({ id: "user carol", params: { name: "carol", state: "absent" } });
  });
});
