import {
  type Action,
  type Change,
  differences,
  digestOf,
  run,
  type UnitState,
  write,
} from "../../provisioner/core/task.ts";
import { startUnit } from "./start-unit.ts";

const STAMPS = "/var/lib/provision/stamps";

/** systemd reads its unit files anew. */
export const reload = { ...run("systemctl", "daemon-reload"), touches: ["unit", "query"] } as const;

/** Where a task keeps what its service was last started on. */
export function stampFile(name: string): string {
  return `${STAMPS}/${name}`;
}

/** The digests of what a service reads, a line each. Of a text the digest, `undefined` for what is not there. */
export function stampText(files: Readonly<Record<string, string | undefined>>): string {
  const lines = Object.entries(files).map(([path, digest]) => `${digest ?? "absent"}  ${path}\n`);
  return lines.join("");
}

/** The digest of a text; nothing where there is none. */
export function maybeDigest(text: string | undefined): string | undefined {
  return text === undefined ? undefined : digestOf(text);
}

/** Puts down what a service was started on. */
export function keepStamp(name: string, text: string): readonly Action[] {
  return [{ kind: "directory", path: STAMPS }, write(stampFile(name), text)];
}

/** A drop-in of ours beside the unit's own file; also loads one that systemd has not read yet. */
export function planDropIn(
  unit: string,
  {
    path,
    found,
    wanted,
  }: { readonly path: string; readonly found: string | undefined; readonly wanted: string },
  { needsReload }: UnitState,
): readonly Change[] {
  const parent: Action = { kind: "directory", path: path.slice(0, path.lastIndexOf("/")) };
  const isOld = needsReload && found === wanted;
  return differences(
    { what: path, from: found, to: wanted, actions: [parent, write(path, wanted), reload] },
    // Also what an earlier run left when it was cut off before its reload.
    { what: `${unit} text in use`, from: isOld ? "older" : "current", to: "current", actions: [reload] },
  );
}

/** The service starts at boot. */
export function planAtBoot(unit: string, { enabled }: UnitState): readonly Change[] {
  return differences({
    what: `${unit} at boot`,
    from: enabled.startsWith("enabled") ? "enabled" : enabled,
    to: "enabled",
    actions: [run("systemctl", "enable", unit)],
  });
}

/** How a service is brought to what it reads now. */
export interface Start {
  readonly unit: string;
  readonly state: UnitState;
  readonly stamp: { readonly name: string; readonly found: string | undefined; readonly wanted: string };
  /** How long it must stay up before it counts as started. */
  readonly steadySeconds?: number;
  /** What proves that it works; the stamp is put down when it does. */
  readonly prove?: readonly Action[];
}

/** The service runs, and on what it reads now: a restart is due while the stamp of its last start says otherwise. */
export function planRunning({ unit, state, stamp, steadySeconds, prove = [] }: Start): readonly Change[] {
  const { active } = state;
  const isUp = active === "active" || active === "reloading";
  if (isUp && stamp.found === stamp.wanted) return [];
  const forgive = active === "failed" ? [run("systemctl", "reset-failed", unit)] : [];
  return [
    {
      what: unit,
      from: isUp ? "on other settings" : active,
      to: "active",
      actions: [
        ...forgive,
        startUnit(isUp ? "restart" : "start", unit, steadySeconds),
        ...prove,
        ...keepStamp(stamp.name, stamp.wanted),
      ],
    },
  ];
}

/** The service neither runs nor starts at boot. */
export function planDown(unit: string, { active, enabled }: UnitState): readonly Change[] {
  const isDown = active === "inactive" || active === "failed";
  return differences(
    {
      what: `${unit} at boot`,
      from: enabled.startsWith("enabled") ? "enabled" : undefined,
      to: undefined,
      actions: [run("systemctl", "disable", unit)],
    },
    {
      what: unit,
      from: isDown ? "inactive" : active,
      to: "inactive",
      actions: [run("systemctl", "stop", unit)],
    },
  );
}

/** What was there and is to be no more. */
export function planGone(path: string, isThere: boolean, ...then: readonly Action[]): readonly Change[] {
  if (!isThere) return [];
  return [{ what: path, from: "present", to: undefined, actions: [{ kind: "remove", path }, ...then] }];
}
