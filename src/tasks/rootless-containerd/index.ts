import type { Static } from "typebox";

import { Type } from "../../provisioner/core/schema.ts";
import {
  accountName,
  type Change,
  defineTask,
  type PinnedTool,
  presentOrAbsent,
  run,
} from "../../provisioner/core/task.ts";
import type { Account } from "../scripts/as-user.ts";
import { nothing } from "../scripts/tool-store/look.ts";
import { pinFor } from "../scripts/tool-store/pin-for.ts";
import { planPresent, planRemoval, planTidying, type Terms } from "../scripts/tool-store/plan-tool.ts";
import { waitingRoom } from "../scripts/tool-store/send-files.ts";
import { type Found, lookAt, readLook } from "./look.ts";
import { planLinger, planNoBuildkit, planUninstall, planUnit } from "./plan-units.ts";
import { accountFor, refuseForeign, refuseRoot } from "./refuse.ts";
import { buildkit, bypass4netns, containerd } from "./units.ts";

const schema = Type.Object(
  {
    user: Type.String({ pattern: accountName, description: "Whose it is; runs it, and owns all of it" }),
    buildkit: Type.Optional(
      Type.Boolean({ description: "Whether buildkit runs beside it; left out: kept as it is" }),
    ),
    linger: Type.Optional(
      Type.Boolean({
        default: true,
        description: "Start it at boot, and leave it running when the user logs out",
      }),
    ),
    state: presentOrAbsent(
      "Whether it is there. absent removes the units, the programs and their links; images and containers in " +
        "~/.local/share/containerd stay, and so does linger unless it is said to be false",
    ),
    replace: Type.Optional(
      Type.Boolean({
        default: false,
        description:
          "Take the place of what somebody else set up: units are overwritten, other files in the way moved to " +
          "~/.local/share/provision/replaced",
      }),
    ),
    timeoutMinutes: Type.Optional(
      Type.Integer({ minimum: 1, default: 30, description: "How long it may take to unpack the programs" }),
    ),
  },
  { additionalProperties: false },
);

type Params = Static<typeof schema>;

const packages = [{ apt: { present: ["uidmap", "dbus-user-session", "iptables"] } }];

/**
 * A containerd that runs as its user: the tree of nerdctl in the versions of versions.yaml, below the home like
 * everything that comes of it, and set up by the tree's own tool. All that is done there is done by the user.
 */
export const rootlessContainerd = defineTask({
  name: "rootless-containerd",
  summary: "A user's own containerd with nerdctl, in ~/.local, by the versions of versions.yaml.",
  schema,
  examples: [
    {
      title: "Containers of a user, from boot on",
      params: { user: "alice" },
      trial: { given: [...packages, { user: { name: "alice" } }] },
    },
    {
      title: "With buildkit, while the user is logged in",
      params: { user: "bob", buildkit: true, linger: false },
      trial: {
        given: [...packages, { user: { name: "bob" } }],
        spoil: [
          run("runuser", "-u", "bob", "--", "sh", "-c", "rm ~/.config/systemd/user/containerd.service"),
        ],
      },
    },
    {
      title: "Remove it; images and containers stay",
      params: { user: "guest", state: "absent" },
      trial: {
        given: [...packages, { user: { name: "guest" } }, { "rootless-containerd": { user: "guest" } }],
        spoil: [
          run("runuser", "-u", "guest", "--", "sh", "-c", "touch ~/.config/systemd/user/containerd.service"),
        ],
      },
    },
  ],

  subject: ({ user }) => user,

  owns: ({ user, state, linger }) =>
    state === "absent" && linger !== false ? [] : [`/var/lib/systemd/linger/${user}`],

  identity: ({ user, state }) => (state === "absent" ? undefined : `what the user ${user} runs`),

  async read(facts, { user, state }): Promise<State> {
    const tool = await facts.tool(TREE);
    const isGoing = state === "absent";
    const command = lookAt(user, isGoing ? [] : [tool], isGoing ? [TREE] : []);
    return { tool, found: readLook(user, await facts.query(command)) };
  },

  plan(params, { tool, found }) {
    refuseRoot(params.user);
    return params.state === "absent" ? planAbsent(params, found) : planPresence(params, tool, found);
  },
});

/** The tool of versions.yaml that has containerd, rootlesskit, runc and the set-up tool in it too. */
const TREE = "nerdctl";

interface State {
  readonly tool: PinnedTool;
  readonly found: Found;
}

function planPresence(params: Params, tool: PinnedTool, found: Found): readonly Change[] {
  const { user, linger = true, replace = false } = params;
  const account = accountFor(user, found);
  const pin = pinFor(tool, found.tools.machine);
  const buildkitState = found.units.get(buildkit.unit);
  const hasBuildkit = params.buildkit ?? buildkitState?.stamp !== undefined;
  const wanted = [containerd, bypass4netns, ...(hasBuildkit ? [buildkit] : [])];
  if (!replace)
    refuseForeign(
      wanted.map(({ unit }) => unit),
      found,
    );
  const all = { found, account, lingers: linger };
  const changes = [
    ...(linger ? planLinger(found.lingers, true, account) : []),
    ...planPresent(pin, treeOf(found), termsOf(params, account)),
    ...wanted.flatMap((each) => planUnit(each, pin, all)),
    ...(params.buildkit === false ? planNoBuildkit(found, account) : []),
    ...(linger ? [] : planLinger(found.lingers, false, account)),
  ];
  return changes.length === 0 ? planRubbish(params, found, account) : changes;
}

function planAbsent(params: Params, found: Found): readonly Change[] {
  const { account } = found;
  // Whoever is not there has nothing.
  if (!account) return [];
  const changes = [
    ...planUninstall(found, account),
    ...planRemoval(TREE, treeOf(found), termsOf(params, account)),
    ...(params.linger === false ? planLinger(found.lingers, false, account) : []),
  ];
  return changes.length === 0 ? planRubbish(params, found, account) : changes;
}

/** Removes what killed runs left. */
function planRubbish(params: Params, found: Found, account: Account): readonly Change[] {
  const room = waitingRoom(account);
  return [
    ...(found.tools.leftovers ? [planTidying(termsOf(params, account))] : []),
    ...(found.hasSent
      ? [{ what: room, from: "leftovers", to: undefined, actions: [{ kind: "remove", path: room } as const] }]
      : []),
  ];
}

function treeOf({ tools }: Found) {
  return tools.tools.get(TREE) ?? nothing;
}

function termsOf({ replace = false, timeoutMinutes = 30 }: Params, account: Account): Terms {
  return { prefix: `${account.home}/.local`, replace, timeoutMs: timeoutMinutes * 60_000, account };
}
