import { type Command, type Output, type PinnedTool, Refusal } from "../../provisioner/core/task.ts";
import type { Account } from "../scripts/as-user.ts";
import {
  lookAt as lookAtTools,
  type PrefixState,
  readLook as readTools,
} from "../scripts/tool-store/look.ts";
import { waitingRoom } from "../scripts/tool-store/send-files.ts";
import { lookScript } from "./look-script.ts";

/** How one of the user's units stands. */
export interface UnitState {
  readonly hasFile: boolean;
  readonly isEnabled: boolean;
  /** What systemd says; a dash while the user has none running. */
  readonly active: string;
  /** Version of the tree that it was set up by; other words when that was cut off, nothing when it is not ours. */
  readonly stamp: string | undefined;
}

/** How a user's containerd stands. */
export interface Found {
  /** False where there is no machine yet. */
  readonly isThere: boolean;
  /** `undefined` when there is no such user. */
  readonly account: Account | undefined;
  readonly lingers: boolean;
  /** The user's systemd runs. */
  readonly hasManager: boolean;
  /** A killed run left files that it had sent. */
  readonly hasSent: boolean;
  /** What must be on the machine, and is not. */
  readonly lacks: readonly string[];
  readonly units: ReadonlyMap<string, UnitState>;
  readonly tools: PrefixState;
}

/** Asks how it stands. */
export function lookAt(user: string, tools: readonly PinnedTool[], absent: readonly string[]): Command {
  const { stdin = "" } = lookAtTools("", tools, absent);
  const room = waitingRoom({ name: user });
  return { argv: ["sh", "-c", lookScript, "provision-rootless-look", user, room], stdin };
}

/** Reads the answer. */
export function readLook(name: string, { code, stdout, stderr }: Output): Found {
  if (code !== 0 && code !== 127)
    throw new Refusal(
      `"${name}" must be able to look at what is theirs, is not: ${stderr.trim()}; look at it there`,
    );
  const [own = "", tools = ""] = stdout.split(/^tools\n/m);
  const lines = own.split("\n");
  const rests = (word: string) =>
    lines.flatMap((line) => (line.startsWith(`${word} `) ? [line.slice(word.length + 1)] : []));
  return {
    isThere: code === 0,
    account: rests("user").map((line) => accountOf(name, line))[0],
    lingers: lines.includes("linger"),
    hasManager: lines.includes("manager"),
    hasSent: lines.includes("sent"),
    lacks: rests("lacks"),
    units: new Map(rests("unit").map(unitOf)),
    tools: readTools({ code, stdout: tools, stderr }),
  };
}

function accountOf(name: string, line: string): Account {
  const [uid = ""] = line.split(" ", 1);
  return { name, uid: Number(uid), home: line.slice(uid.length + 1) };
}

function unitOf(line: string): readonly [string, UnitState] {
  const [unit = "", file, enabled, active = "-", stamp = "-"] = line.split(" ");
  const state = { hasFile: file === "file", isEnabled: enabled === "enabled", active };
  return [unit, { ...state, stamp: stamp === "-" ? undefined : stamp }];
}
