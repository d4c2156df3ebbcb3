import {
  type Action,
  type Change,
  defineTask,
  differences,
  digestOf,
  write,
} from "../../provisioner/core/task.ts";
import {
  keepStamp,
  maybeDigest,
  planAtBoot,
  planGone,
  planRunning,
  stampFile,
  stampText,
} from "../scripts/service.ts";
import { files, RULES_STAMP, STAMP, UNIT } from "./files.ts";
import { type Params, schema } from "./schema.ts";
import { checkText, loadRules, tellAuditd } from "./scripts.ts";
import { programThere, readState, type State } from "./state.ts";
import { pluginText, rulesText, settingsText } from "./texts.ts";

/**
 * The audit trail as lines of JSON, by a laurel that is there as auditd's plugin. It reads the new settings itself
 * before they take the place of the old ones, and takes them up at auditd's signal: nothing is restarted, no event lost.
 */
export const laurel = defineTask({
  name: "laurel",
  summary: "The audit trail as lines of JSON by a laurel that is there, and audit rules.",
  schema,
  examples: [
    {
      title: "A log that a forwarder reads, without what backups do, and a rule more",
      params: {
        log: { sizeBytes: 10_000_000, generations: 5, readUsers: ["www-data"] },
        transform: { arguments: "both", argumentsLimitBytes: 10_000 },
        labels: { programs: { "^/usr/bin/restic$": "backup" }, inherited: ["software_mgmt", "backup"] },
        filter: { labels: ["backup"] },
        rules: ["-a always,exit -F arch=b64 -F dir=/srv/share -F perm=wa -F key=share"],
      },
      trial: {
        given: [
          { tools: { names: ["laurel"] } },
          { user: { name: "_laurel", system: true, home: "/var/log/laurel", shell: "/usr/sbin/nologin" } },
          { directory: { path: "/var/log/laurel", owner: "_laurel", group: "_laurel", mode: "0750" } },
          { directory: { path: "/srv/share" } },
          { apt: { present: ["auditd"] } },
        ],
      },
    },
  ],

  subject: () => UNIT,

  owns: () => [files.settings, files.plugin, files.rules],

  read: readState,

  plan(params, state) {
    if (params.state === "absent") return planAbsent(state);
    const program = programThere(state);
    return [
      ...planSettings(params, state, program),
      ...planPlugin(state, program, "yes"),
      ...planRules(rulesText(params), state),
      ...planAtBoot(UNIT, state.unit),
      ...planTold(params, state, program),
    ];
  },
});

function planSettings(params: Params, { settings }: State, program: string): readonly Change[] {
  const text = settingsText(params);
  const directory: Action = { kind: "directory", path: "/etc/laurel" };
  return differences({
    what: files.settings,
    from: settings,
    to: text,
    actions: [checkText(program, text, params.log?.readUsers ?? []), directory, write(files.settings, text)],
  });
}

function planPlugin({ plugin }: State, program: string, active: "yes" | "no"): readonly Change[] {
  const text = pluginText(program, active);
  const directories: readonly Action[] = ["/etc/audit", "/etc/audit/plugins.d"].map((path) => ({
    kind: "directory",
    path,
    mode: "0750",
  }));
  return differences({
    what: files.plugin,
    from: plugin,
    to: text,
    actions: [...directories, write(files.plugin, text, { mode: "0640" })],
  });
}

function planRules(text: string | undefined, { rules, rulesStamp }: State): readonly Change[] {
  const wanted = text && stampText({ [files.rules]: digestOf(text) });
  const change = (to: string | undefined, keep: readonly Action[]): readonly Change[] => [
    { what: files.rules, from: rules, to, actions: [loadRules(text), ...keep] },
  ];
  if (wanted === undefined) {
    const forget = planGone(stampFile(RULES_STAMP), rulesStamp !== undefined);
    return rules === undefined ? forget : [...change(undefined, []), ...forget];
  }
  const keep = keepStamp(RULES_STAMP, wanted);
  if (rules !== text) return change(text, keep);
  return differences({
    what: `${files.rules} in the kernel`,
    from: rulesStamp,
    to: wanted,
    actions: [loadRules(text), ...keep],
  });
}

/** auditd runs, and laurel was told of what it is to read. */
function planTold(
  params: Params,
  { unit, stamp: found, isRunning }: State,
  program: string,
): readonly Change[] {
  const wanted = stampText({
    [files.settings]: digestOf(settingsText(params)),
    [files.plugin]: maybeDigest(pluginText(program, "yes")),
  });
  if (unit.active !== "active") {
    const stamp = { name: STAMP, found, wanted };
    return planRunning({ unit: UNIT, state: unit, stamp, steadySeconds: 5 });
  }
  const actions = [tellAuditd("starts"), ...keepStamp(STAMP, wanted)];
  if (!isRunning) return [{ what: "laurel", from: "ended", to: "active", actions }];
  return differences({ what: "laurel", from: found, to: wanted, actions });
}

function planAbsent(state: State): readonly Change[] {
  const { unit, program, plugin, stamp } = state;
  const isStarted = plugin !== undefined && /^\s*active\s*=\s*yes/m.test(plugin);
  const tell = unit.active === "active" ? [tellAuditd("stops")] : [];
  return [
    ...(isStarted && program !== undefined
      ? planPlugin(state, program, "no").map((change) => ({
          ...change,
          actions: [...change.actions, ...tell],
        }))
      : []),
    ...planRules(undefined, state),
    ...planGone(stampFile(STAMP), stamp !== undefined),
  ];
}
