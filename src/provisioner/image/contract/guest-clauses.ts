import type { FactRequest } from "../../core/facts.ts";
import type { Output, UserEntry } from "../../core/task.ts";
import { cloudInitComplaints } from "../wait-for-cloud-init.ts";
import { type Clause, unless } from "./clause.ts";

/** What a machine of the image is, with the identity it was given. All of it again after each reboot. */
export const guestClauses: readonly Clause[] = [
  {
    id: "own-machine-id",
    what: "has a machine-id of its own, and keeps it",
    guest: {
      from: 0,
      asks: () => [{ kind: "file", about: "/etc/machine-id" }],
      against: ([found], _visit, earlier) =>
        unless(/^[0-9a-f]{32}$/.test(line(found)) && isKept(found, earlier?.[0]), line(found)),
    },
  },
  {
    id: "given-host-name",
    what: "has the host name it was given",
    guest: {
      from: 0,
      asks: () => [{ kind: "file", about: "/etc/hostname" }, query("uname", "-n")],
      against: ([stored, running], { identity }) =>
        [line(stored), printed(running)].flatMap((name) => unless(name === identity.hostName, name)),
    },
  },
  {
    id: "given-host-key",
    what: "has the host key it was given, and no other",
    guest: {
      from: 0,
      asks: () => [
        { kind: "file", about: "/etc/ssh/ssh_host_ed25519_key.pub" },
        query("sh", "-c", "ls /etc/ssh/ssh_host_*_key", "provision-host-keys"),
      ],
      against: ([key, all], { identity }) => [
        ...unless(keyOf(line(key)) === keyOf(identity.hostKey), line(key)),
        ...unless(printed(all) === "/etc/ssh/ssh_host_ed25519_key", printed(all)),
      ],
    },
  },
  {
    id: "given-user",
    what: "knows nobody but the user it was given, who keeps the same uid",
    guest: {
      from: 0,
      asks: ({ identity }) => [
        { kind: "file", about: "/etc/passwd" },
        { kind: "user", about: identity.user },
      ],
      against: ([passwd, user], { identity }, earlier) => {
        const names = people(line(passwd)).join(", ");
        const [uid, before] = [user, earlier?.[1]].map((entry) => (entry as UserEntry | undefined)?.uid);
        return [
          ...unless(names === identity.user, names),
          ...unless(earlier === undefined || uid === before, `uid ${uid}, before ${before}`),
        ];
      },
    },
  },
  {
    id: "given-key",
    what: "lets that user in with the key it was given, and with no other",
    guest: {
      from: 0,
      asks: ({ identity }) => [{ kind: "file", about: `/home/${identity.user}/.ssh/authorized_keys` }],
      against: ([found], { identity }) => {
        const keys = line(found)
          .split("\n")
          .filter((each) => each !== "" && !each.startsWith("#"));
        return unless(keys.length === 1 && keyOf(keys[0] ?? "") === keyOf(identity.loginKey), line(found));
      },
    },
  },
  {
    id: "no-failed-unit",
    what: "runs with no failed unit",
    guest: {
      from: 0,
      asks: () => [
        query("systemctl", "list-units", "--failed", "--plain", "--no-legend"),
        query("systemctl", "is-system-running"),
      ],
      against: ([failed, state]) =>
        printed(failed) === "" ? unless(printed(state) === "running", printed(state)) : [printed(failed)],
    },
  },
  {
    id: "cloud-init-done",
    what: "has cloud-init done without an error",
    guest: {
      from: 0,
      asks: () => [
        { kind: "file", about: "/run/cloud-init/result.json" },
        { kind: "file", about: "/run/cloud-init/status.json" },
      ],
      against: ([result, stages]) =>
        line(result) === "" ? ["it is not done"] : cloudInitComplaints(line(result), stages),
    },
  },
  {
    id: "own-random-seed",
    what: "has a random seed of its own, another with each boot",
    guest: {
      from: 0,
      asks: () => [{ kind: "digest", about: "/var/lib/systemd/random-seed" }],
      against: ([seed], _visit, earlier) => [
        ...unless(seed !== undefined, "there is none"),
        ...unless(seed === undefined || seed !== earlier?.[0], "the seed of the boot before"),
      ],
    },
  },
];

/** A program that looks. */
export function query(...argv: [string, ...string[]]): FactRequest {
  return { kind: "query", about: { argv } };
}

/** What a query printed, without the blanks around it. */
export function printed(answer: unknown): string {
  return (answer as Output | undefined)?.stdout.trim() ?? "";
}

/** A file's text, without the blanks around it; empty when it is absent. */
export function line(answer: unknown): string {
  return typeof answer === "string" ? answer.trim() : "";
}

function isKept(found: unknown, before: unknown): boolean {
  return before === undefined || line(before) === line(found);
}

/** Type and blob, without the comment. */
function keyOf(text: string): string {
  return text.split(/\s+/).slice(0, 2).join(" ");
}

function people(passwd: string): string[] {
  return passwd
    .split("\n")
    .map((each) => each.split(":"))
    .filter(([, , uid]) => Number(uid) >= 1000 && Number(uid) < 60_000)
    .map(([name]) => name ?? "");
}
