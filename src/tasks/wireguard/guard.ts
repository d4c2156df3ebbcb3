import type { Guard } from "../../provisioner/core/task.ts";
import { ownName, placesOf, sharedKeyFile } from "./files.ts";
import type { Params } from "./schema.ts";
import type { State } from "./state.ts";

/** How the machine takes a change of an interface back: its files as they were, and the interface with them. */
export function guardOf({ interface: name, peers = [], state: wanted }: Params, state: State): Guard {
  const { conf, key, dropIn, stamp } = placesOf(name);
  // One that is made now stays: its public half may have been given to others by the time.
  const isMadeNow = wanted !== "absent" && state.key.text === undefined && state.key.digest === undefined;
  const shared = peers.flatMap(({ publicKey, presharedKey }) =>
    presharedKey ? [sharedKeyFile(name, publicKey)] : [],
  );
  return {
    name: ownName(name),
    keeps: [
      ...new Set([conf, dropIn, stamp, ...(isMadeNow ? [] : [key]), ...state.live.sharedFiles, ...shared]),
    ],
    restore: restoreText(state, placesOf(name).unit),
  };
}

/** Without wireguard-tools there is no unit, and so nothing to stop. */
function restoreText({ unit: { enabled, active } }: State, unit: string): string {
  return [
    "systemctl daemon-reload || exit",
    enabled.startsWith("enabled")
      ? `systemctl enable ${unit} || exit`
      : `systemctl disable ${unit} || ! systemctl is-enabled --quiet ${unit} || exit`,
    `systemctl reset-failed ${unit} 2>/dev/null`,
    active === "active"
      ? `systemctl restart ${unit}`
      : `systemctl stop ${unit} || ! systemctl is-active --quiet ${unit}`,
  ].join("\n");
}
