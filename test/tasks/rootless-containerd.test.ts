import { describe, expect, it } from "vitest";

import type { Change } from "../../src/provisioner/core/task.ts";
import { rootlessContainerd } from "../../src/tasks/rootless-containerd/index.ts";
import { type Found, lookAt, readLook, type UnitState } from "../../src/tasks/rootless-containerd/look.ts";
import { nothing, type ToolState } from "../../src/tasks/scripts/tool-store/look.ts";
import { emptyMachine } from "../support/fake-host.ts";
import { someTool } from "../support/some-tool.ts";
import { refusal, settle } from "../support/tasks.ts";

const tool = someTool("nerdctl", { version: "2.0" });
const pin = tool.pins.x86_64;
const id = pin?.id ?? "";
const old = "1.0-0123456789ab";
const alice = { name: "alice", uid: 1000, home: "/home/alice" };

const set: UnitState = { hasFile: true, isEnabled: true, active: "active", stamp: id };
const unset: UnitState = { hasFile: false, isEnabled: false, active: "inactive", stamp: undefined };
const whole: ToolState = { ...nothing, there: true, current: id, has: [id] };

/** A user for whom all is as wanted, but for what is said. */
function found(
  more: Partial<Found> = {},
  {
    tree = whole,
    ...units
  }: { readonly [unit: string]: UnitState | ToolState } & {
    readonly tree?: ToolState;
  } = {},
): Found {
  const states = { containerd: set, bypass4netnsd: set, buildkit: unset, ...units } as Record<
    string,
    UnitState
  >;
  return {
    isThere: true,
    account: alice,
    lingers: true,
    hasManager: true,
    hasSent: false,
    lacks: [],
    units: new Map(Object.entries(states).map(([name, state]) => [`${name}.service`, state])),
    tools: { machine: "x86_64", leftovers: false, tools: new Map([["nerdctl", tree]]) },
    ...more,
  };
}

const nobodyYet = found({ lingers: false, hasManager: false, units: new Map() }, { tree: nothing });

function plan(params: object, state: Found): readonly Change[] {
  return rootlessContainerd.plan({ user: "alice", ...params }, { tool, found: state });
}

const told = (changes: readonly Change[]) => changes.map(({ what, from, to }) => [what, from, to]);

/** What each action does: the words after a script, or its kind and path. */
function actions(changes: readonly Change[]): readonly string[] {
  return changes.flatMap((change) =>
    change.actions.map((action) =>
      action.kind === "run"
        ? action.command.argv.slice(action.command.argv[0] === "sh" ? 3 : 0).join(" ")
        : `${action.kind} ${"path" in action ? action.path : action.name}`,
    ),
  );
}

describe("the plan of rootless-containerd", () => {
  it("finds nothing to do where all is as wanted", () => {
    expect(plan({}, found())).toEqual([]);
  });

  it("sends files where root may write, and has the user do the rest", () => {
    const changes = plan({ buildkit: true }, nobodyYet);

    const room = "/var/lib/provision/incoming/alice";
    const sha256 = pin?.artifacts[0].sha256;
    const store = "/home/alice/.local/share/provision/store";
    expect(actions(changes)).toEqual([
      "provision-rootless linger alice 1000 /home/alice",
      "provision-tools-prepare /home/alice/.local",
      `directory ${room}`,
      `fetch ${room}/${sha256}`,
      `provision-tools-take ${room} ${store}/.incoming`,
      `remove ${room}`,
      `provision-tools install /home/alice/.local nerdctl ${id} x86_64 no nerdctl`,
      `provision-rootless set-up alice 1000 /home/alice ${id} containerd.service install`,
      `provision-rootless set-up alice 1000 /home/alice ${id} bypass4netnsd.service install-bypass4netnsd`,
      `provision-rootless set-up alice 1000 /home/alice ${id} buildkit.service install-buildkit-containerd`,
    ]);
    const scripts = changes
      .filter(({ what }) => what === "nerdctl")
      .flatMap((change) =>
        change.actions.flatMap((action) => (action.kind === "run" ? [action.command.argv[2]] : [])),
      );
    expect(scripts).toHaveLength(3);
    for (const script of scripts)
      expect(script).toMatch(/name='alice' uid=1000 home='\/home\/alice'\nas_user sh -c '/);
  });

  it.each<[string, object, Found, readonly (readonly (string | undefined)[])[]]>([
    [
      "a new version, with what was set up by the old one, buildkit too",
      {},
      found(
        {},
        {
          tree: { ...whole, current: old, has: [old] },
          containerd: { ...set, stamp: old },
          bypass4netnsd: { ...set, stamp: old },
          buildkit: { ...set, stamp: old },
        },
      ),
      [
        ["nerdctl", "1.0", "2.0"],
        ["containerd.service", "1.0, enabled, active", "2.0, enabled, active"],
        ["bypass4netnsd.service", "1.0, enabled, active", "2.0, enabled, active"],
        ["buildkit.service", "1.0, enabled, active", "2.0, enabled, active"],
      ],
    ],
    [
      "the same version of other bytes",
      {},
      found({}, { containerd: { ...set, stamp: "2.0-0123456789ab" } }),
      [["containerd.service", "2.0-0123456789ab, enabled, active", "2.0, enabled, active"]],
    ],
    [
      "a unit that does not run",
      {},
      found({}, { containerd: { ...set, active: "failed" } }),
      [["containerd.service", "2.0, enabled, failed", "2.0, enabled, active"]],
    ],
    [
      "a unit that is not enabled",
      {},
      found({}, { bypass4netnsd: { ...set, isEnabled: false } }),
      [["bypass4netnsd.service", "2.0, disabled, active", "2.0, enabled, active"]],
    ],
    [
      "a set-up that was cut off",
      {},
      found({}, { containerd: { ...unset, stamp: "begun" } }),
      [["containerd.service", "begun, no file, disabled, inactive", "2.0, enabled, active"]],
    ],
    ["linger", {}, found({ lingers: false }), [["linger", "off", "on"]]],
    ["no linger", { linger: false }, found(), [["linger", "on", "off"]]],
    [
      "nothing of a user who does not linger and is not logged in",
      { linger: false },
      found(
        { lingers: false, hasManager: false },
        { containerd: { ...set, active: "-" }, bypass4netnsd: { ...set, active: "-" } },
      ),
      [],
    ],
    ["buildkit", { buildkit: true }, found(), [["buildkit.service", undefined, "2.0, enabled, active"]]],
    [
      "no buildkit",
      { buildkit: false },
      found({}, { buildkit: set }),
      [["buildkit.service", "present", undefined]],
    ],
    [
      "nothing of a buildkit that is not of this task",
      {},
      found({}, { buildkit: { ...set, stamp: undefined } }),
      [],
    ],
    [
      "somebody's unit, when that is said",
      { replace: true },
      found({}, { containerd: { ...set, stamp: undefined } }),
      [["containerd.service", "somebody else's, enabled, active", "2.0, enabled, active"]],
    ],
    [
      "what a killed run left",
      {},
      found({ hasSent: true, tools: { ...found().tools, leftovers: true } }),
      [
        ["store", "leftovers", undefined],
        ["/var/lib/provision/incoming/alice", "leftovers", undefined],
      ],
    ],
  ])("settles %s", (_, params, state, wanted) => {
    expect(told(plan(params, state))).toEqual(wanted);
  });

  it.each<[string, object, Found, readonly string[]]>([
    [
      "units first, by the tool that goes with the tree",
      {},
      found(),
      [
        "provision-rootless uninstall alice 1000 /home/alice containerd.service bypass4netnsd.service buildkit.service",
        "provision-tools remove /home/alice/.local nerdctl",
      ],
    ],
    ["linger too, when that is said", { linger: false }, nobodyYet, []],
    [
      "linger alone",
      { linger: false },
      found({ units: new Map() }, { tree: nothing }),
      ["loginctl disable-linger alice"],
    ],
    ["nothing of a user who is not there", {}, found({ account: undefined }), []],
    [
      "files that a killed run had sent",
      {},
      found({ hasSent: true, units: new Map() }, { tree: nothing }),
      ["remove /var/lib/provision/incoming/alice"],
    ],
  ])("removes %s", (_, params, state, wanted) => {
    const params_ = { state: "absent", ...params };

    expect(actions(plan(params_, state))).toEqual(wanted);
  });

  it.each<[string, object, Found, RegExp]>([
    ["root", { user: "root" }, found(), /must not be root/],
    [
      "a user who is not there",
      {},
      found({ account: undefined }),
      /"alice" must be a user, is none; add `user: /,
    ],
    [
      "no newuidmap",
      {},
      found({ lacks: ["newuidmap"] }),
      /newuidmap must be there.*apply the spec containerd/,
    ],
    [
      "no newgidmap",
      {},
      found({ lacks: ["newgidmap"] }),
      /newgidmap must be there.*apply the spec containerd/,
    ],
    ["no bus", {}, found({ lacks: ["dbus.socket"] }), /must have a message bus.*dbus-user-session/],
    [
      "no range of uids",
      {},
      found({ lacks: ["subuid"] }),
      /in \/etc\/subuid, has none; add `subuid: \{user: alice\}`/,
    ],
    [
      "no range of gids",
      {},
      found({ lacks: ["subgid"] }),
      /in \/etc\/subgid, has none; add `subuid: \{user: alice\}`/,
    ],
    ["no home", {}, found({ lacks: ["home"] }), /the home of "alice" must be there, is not; make it/],
    ["a systemd that does not answer", {}, found({ units: new Map() }), /must answer.*user@1000\.service/],
    [
      "somebody's unit",
      {},
      found({}, { containerd: { ...set, stamp: undefined } }),
      /"\/home\/alice\/\.config\/systemd\/user\/containerd\.service" must be absent.*replace: true/,
    ],
    [
      "somebody's program",
      {},
      found({}, { tree: { ...nothing, foreign: ["bin/nerdctl"] } }),
      /"\/home\/alice\/\.local\/bin\/nerdctl" must be absent.*replace: true/,
    ],
  ])("refuses %s", (_, params, state, reason) => {
    expect(() => plan(params, state)).toThrow(reason);
  });
});

describe("what is read of a user", () => {
  it("asks for the tree, and for nothing of it but its absence where it goes", () => {
    expect(lookAt("alice", [tool], []).stdin).toBe("tool nerdctl\nplace bin/nerdctl\n");
    expect(lookAt("alice", [], ["nerdctl"]).stdin).toBe("tool nerdctl\n");
  });

  it("reads the lines of the script, and those of the store after them", () => {
    const stdout = [
      "user 1001 /home/al ice",
      "linger",
      "lacks newuidmap",
      "lacks subgid",
      "manager",
      `unit containerd.service file enabled active ${id}`,
      "unit buildkit.service - - inactive -",
      "tools",
      "machine aarch64",
      "tool nerdctl",
      "there",
      "",
    ].join("\n");

    expect(readLook("alice", { code: 0, stdout, stderr: "" })).toEqual({
      isThere: true,
      account: { name: "alice", uid: 1001, home: "/home/al ice" },
      lingers: true,
      hasManager: true,
      hasSent: false,
      lacks: ["newuidmap", "subgid"],
      units: new Map([
        ["containerd.service", set],
        ["buildkit.service", unset],
      ]),
      tools: {
        machine: "aarch64",
        leftovers: false,
        tools: new Map([["nerdctl", { ...nothing, there: true }]]),
      },
    });
  });

  it("says why it cannot be read", async () => {
    const host = emptyMachine();
    host.program("provision-rootless-look", () => ({ code: 1, stderr: "runuser: no such shell\n" }));

    await expect(settle(rootlessContainerd, { user: "alice" }, host)).rejects.toMatchObject(
      refusal(/must be able to look at what is theirs, is not: runuser: no such shell; look at it there/),
    );
  });
});

describe("what rootless-containerd owns", () => {
  it.each<[object, readonly string[], string | undefined]>([
    [{}, ["/var/lib/systemd/linger/alice"], "what the user alice runs"],
    [{ state: "absent" }, [], undefined],
    [{ state: "absent", linger: false }, ["/var/lib/systemd/linger/alice"], undefined],
  ])("with %j", (params, owned, identity) => {
    const whole_ = { user: "alice", ...params };

    expect(rootlessContainerd.owns?.(whole_)).toEqual(owned);
    expect(rootlessContainerd.identity?.(whole_)).toBe(identity);
  });
});
