import { type Change, differences, type RunAction, type ToolPin } from "../../provisioner/core/task.ts";
import type { Account } from "../scripts/as-user.ts";
import { versionOf } from "../scripts/tool-store/plan-tool.ts";
import type { Found, UnitState } from "./look.ts";
import { setUpScript } from "./set-up-script.ts";
import { buildkit, units } from "./units.ts";

/** Sets a unit up by this version of the tree, or starts what does not run. */
export function planUnit(
  { unit, install }: { readonly unit: string; readonly install: string },
  { id, version }: Pick<ToolPin, "id" | "version">,
  { found, account, lingers }: { found: Found; account: Account; lingers: boolean },
): readonly Change[] {
  const state = found.units.get(unit);
  // While the user has no systemd, nothing of theirs can run, and need not.
  const isRunning = lingers || found.hasManager;
  return differences({
    what: unit,
    from: told(state, { id, version }),
    to: [version, "enabled", ...(isRunning ? ["active"] : [])].join(", "),
    actions: [setUp("set-up", account, id, unit, install)],
  });
}

/** Takes the unit of buildkit away. */
export function planNoBuildkit({ units: states }: Found, account: Account): readonly Change[] {
  const { hasFile = false, stamp } = states.get(buildkit.unit) ?? {};
  return differences({
    what: buildkit.unit,
    from: hasFile || stamp !== undefined ? "present" : undefined,
    to: undefined,
    actions: [setUp("drop", account, buildkit.unit, buildkit.uninstall)],
  });
}

/** Takes away all that the set-up tool installed. */
export function planUninstall({ units: states }: Found, account: Account): readonly Change[] {
  const there = [...states].filter(([, { hasFile, stamp }]) => hasFile || stamp !== undefined);
  return differences({
    what: "units",
    from: there.length === 0 ? undefined : there.map(([name]) => name).join(", "),
    to: undefined,
    actions: [setUp("uninstall", account, ...units)],
  });
}

/** Has the user's systemd started at boot, and now; or no longer. */
export function planLinger(from: boolean, to: boolean, account: Account): readonly Change[] {
  const { name } = account;
  const off: RunAction = { kind: "run", touches, command: { argv: ["loginctl", "disable-linger", name] } };
  return differences({
    what: "linger",
    from: from ? "on" : "off",
    to: to ? "on" : "off",
    actions: [to ? setUp("linger", account) : off],
  });
}

/** What of it can be read. */
const touches = ["file", "stat", "digest", "query"];

function setUp(verb: string, { name, uid, home }: Account, ...more: readonly string[]): RunAction {
  return {
    kind: "run",
    touches,
    timeoutMs: 600_000,
    command: {
      argv: ["sh", "-c", setUpScript, "provision-rootless", verb, name, String(uid), home, ...more],
    },
  };
}

/** In the words of what is wanted: a version, enabled, active. */
function told(
  state: UnitState | undefined,
  pin: { readonly id: string; readonly version: string },
): string | undefined {
  if (!state || (!state.hasFile && state.stamp === undefined)) return undefined;
  const { hasFile, isEnabled, active, stamp = "somebody else's" } = state;
  const was = versionOf(stamp);
  // The same version of other bytes is not the same.
  const version = stamp === pin.id || was !== pin.version ? was : stamp;
  return [
    version,
    ...(hasFile ? [] : ["no file"]),
    isEnabled ? "enabled" : "disabled",
    ...(active === "-" ? [] : [active]),
  ].join(", ");
}
