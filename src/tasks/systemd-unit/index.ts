import {
  type Action,
  type Change,
  defineTask,
  differences,
  Refusal,
  run,
  write,
} from "../../provisioner/core/task.ts";
import { type Params, schema } from "./schema.ts";
import { startUnit } from "../scripts/start-unit.ts";
import { readUnit, stampFile, STAMPS, stampText, type State, textFile } from "./state.ts";

/**
 * A systemd unit: its text or a drop-in, whether it starts at boot, whether it runs. A restart is not an event
 * that can be lost but a state: it is due while the stamp of the last start differs from what the unit reads now.
 */
export const systemdUnit = defineTask({
  name: "systemd-unit",
  summary: "A systemd unit: its file or a drop-in, enabled, running, restarted when what it reads changed.",
  schema,
  examples: [
    {
      title: "A packaged service",
      params: { unit: "ssh.service", enabled: true, state: "running" },
      // Spoiled, it may take the way to the machine with it: systemd can lose sight of one whose alias goes and comes.
      trial: { instead: { unit: "fstrim.timer", enabled: true, state: "running" } },
    },
    {
      title: "Restart it when its settings change",
      params: { unit: "chrony.service", state: "running", restartOn: ["/etc/chrony/chrony.conf"] },
      trial: { given: [{ apt: { present: ["chrony"] } }] },
    },
    {
      title: "A unit of one's own, run once and again when its text changes",
      params: {
        unit: "grow-state.service",
        content:
          "[Service]\nType=oneshot\nExecStart=/usr/local/sbin/grow-state\n\n[Install]\nWantedBy=multi-user.target\n",
        enabled: true,
        state: "ran",
      },
      trial: {
        given: [{ file: { path: "/usr/local/sbin/grow-state", content: "#!/bin/sh\n", mode: "0755" } }],
      },
    },
    {
      title: "A service that must not end after some seconds",
      params: {
        unit: "agent.service",
        content: "[Service]\nExecStart=/usr/local/bin/agent\n\n[Install]\nWantedBy=multi-user.target\n",
        enabled: true,
        state: "running",
        steadySeconds: 5,
      },
      trial: {
        given: [
          { file: { path: "/usr/local/bin/agent", content: "#!/bin/sh\nexec sleep inf\n", mode: "0755" } },
        ],
      },
    },
    {
      title: "A drop-in",
      params: {
        unit: "user@.service",
        dropIn: "delegate",
        content: "[Service]\nDelegate=cpu io memory pids\n",
      },
    },
    {
      title: "Never start it, not even for others",
      params: { unit: "apt-daily.timer", masked: true, state: "stopped" },
    },
  ],

  // Without a text of its own there is no file to remove.
  spoil({ unit, content, template, enabled, masked, state }) {
    if ((content ?? template) !== undefined) return undefined;
    if (masked) return [run("systemctl", "unmask", unit)];
    if (enabled) return [run("systemctl", "disable", unit)];
    return state === "running" ? [run("systemctl", "stop", unit)] : undefined;
  },

  subject: ({ unit, dropIn }) => (dropIn === undefined ? unit : `${unit} ${dropIn}`),

  // Without a text of its own it settles a unit that somebody else brings: a package, or a `file`.
  owns: (params) => ((params.content ?? params.template) === undefined ? [] : [textFile(params)]),

  read: readUnit,

  plan(params, state) {
    refuseContradictions(params, state);
    return [
      ...planUnmask(params, state),
      ...planText(params, state),
      ...planEnabled(params, state),
      ...planState(params, state),
      // Last: what is masked while it runs counts as failed once it is stopped.
      ...planMask(params, state),
    ];
  },
});

const reload = { ...run("systemctl", "daemon-reload"), touches: ["unit", "query"] } as const;

function refuseContradictions(params: Params, found: State): void {
  const { unit, dropIn, masked, enabled, state, content, template, steadySeconds } = params;
  const isWantedUp = enabled === true || state === "running" || state === "ran";
  const hasText = dropIn === undefined && (content ?? template) !== undefined;
  if (content !== undefined && template !== undefined) {
    throw new Refusal("must have one text, has both content and template; drop one of them");
  }
  if (dropIn !== undefined && found.wanted === undefined) {
    throw new Refusal(`the drop-in "${dropIn}" must have content or a template, has neither`);
  }
  if (found.unit === undefined && (isWantedUp || (state ?? enabled ?? masked) !== undefined)) {
    throw new Refusal(
      `"${unit}" is a template, which neither runs nor starts at boot; name an instance of it`,
    );
  }
  if (steadySeconds !== undefined && state !== "running") {
    throw new Refusal(
      `"${unit}" cannot have steadySeconds unless it is to run; say state: running, or drop it`,
    );
  }
  if (masked && (isWantedUp || hasText)) {
    throw new Refusal(`"${unit}" cannot be masked and have a text, be enabled or run; drop one of them`);
  }
  if (isMasked(found) && masked === undefined && (isWantedUp || hasText)) {
    throw new Refusal(`"${unit}" must not be masked, is masked; say masked: false to let it start`);
  }
}

function planUnmask({ unit, masked }: Params, state: State): readonly Change[] {
  if (masked !== false || !isMasked(state)) return [];
  return [
    { what: `${unit} mask`, from: "masked", to: undefined, actions: [run("systemctl", "unmask", unit)] },
  ];
}

function planText(params: Params, { unit, text, wanted }: State): readonly Change[] {
  const path = textFile(params);
  if (wanted !== undefined && wanted !== text) {
    const directory: readonly Action[] =
      params.dropIn === undefined ? [] : [{ kind: "directory", path: path.slice(0, path.lastIndexOf("/")) }];
    return [{ what: path, from: text, to: wanted, actions: [...directory, write(path, wanted), reload] }];
  }
  // Also what an earlier run left when it was cut off between the text and this.
  return unit?.needsReload
    ? [{ what: `${params.unit} text in use`, from: "older", to: "current", actions: [reload] }]
    : [];
}

function planMask({ unit, masked }: Params, state: State): readonly Change[] {
  if (!masked || isMasked(state)) return [];
  return [{ what: `${unit} mask`, from: undefined, to: "masked", actions: [run("systemctl", "mask", unit)] }];
}

function planEnabled({ unit, enabled }: Params, state: State): readonly Change[] {
  if (enabled === undefined) return [];
  const found = state.unit?.enabled ?? "";
  if (enabled && found === "static" && state.wanted === state.text) {
    throw new Refusal(`"${unit}" cannot be enabled: it has no [Install] section, other units start it`);
  }
  const isSo = enabled ? startsAtBoot.includes(found) : !found.startsWith("enabled");
  return differences({
    what: `${unit} at boot`,
    from: found,
    to: isSo ? found : enabled ? "enabled" : "disabled",
    actions: [run("systemctl", enabled ? "enable" : "disable", unit)],
  });
}

/** `indirect` starts by another unit that its Also= names; `generated` comes from an init script. */
const startsAtBoot = ["enabled", "alias", "indirect", "generated"];

function planState(params: Params, found: State): readonly Change[] {
  const { unit, state } = params;
  const active = found.unit?.active ?? "inactive";
  const isUp = active === "active" || active === "reloading";
  const stamp = stampText(params, found);
  const isDue = stamp !== undefined && stamp !== found.stamp;
  if (state === "stopped") {
    const isDown = active === "inactive" || active === "failed";
    return isDown
      ? []
      : [{ what: unit, from: active, to: "inactive", actions: [run("systemctl", "stop", unit)] }];
  }
  if (state === "running" && !isUp) {
    return [{ what: unit, from: active, to: "active", actions: start(params, "start", active, stamp) }];
  }
  if (state === "ran" && active === "failed") {
    return [{ what: unit, from: active, to: "ran", actions: start(params, "restart", active, stamp) }];
  }
  if (!isDue || (state === undefined && !isUp)) return [];
  const verb = state === "ran" ? "restart" : verbFor(params, found);
  return [
    { what: `${unit} start`, from: found.stamp, to: stamp, actions: start(params, verb, active, stamp) },
  ];
}

/** A reload is enough when no text of the unit's own changed since the last start. */
function verbFor(params: Params, { wanted, stamp }: State): string {
  const own = stampText({ ...params, restartOn: [] }, { wanted, digests: [] }) ?? "";
  return params.onChange === "reload" && stamp?.includes(own) ? "reload" : "restart";
}

function start(
  { unit, dropIn, steadySeconds }: Params,
  verb: string,
  active: string,
  stamp: string | undefined,
): readonly Action[] {
  const forgive = active === "failed" ? [run("systemctl", "reset-failed", unit)] : [];
  const keep: readonly Action[] =
    stamp === undefined
      ? []
      : [{ kind: "directory", path: STAMPS }, write(stampFile({ unit, ...(dropIn && { dropIn }) }), stamp)];
  return [...forgive, startUnit(verb, unit, steadySeconds), ...keep];
}

function isMasked({ unit }: State): boolean {
  return unit?.load === "masked" || unit?.enabled === "masked";
}
