import { stateLayout } from "../../core/state-layout.ts";
import type { MountEntry, Output } from "../../core/task.ts";
import type { ImageTree } from "../image-tree.ts";
import { maintenanceSentence } from "../maintenance.ts";
import { type Clause, unless, type Visit } from "./clause.ts";
import { line, printed, query } from "./guest-clauses.ts";

/** Each is on root, however deep. */
const refused = ["/", "/usr/", "/opt/", "/var/cache/"];
const kept = ["/etc", ...stateLayout.moved];
const forgotten = ["/tmp", "/var/tmp"];
const MIB = 1024 ** 2;

/** A root that nobody writes to, and room beside it for all that must change. */
export const readOnlyClauses: readonly Clause[] = [
  {
    id: "root-read-only",
    what: "root is mounted read-only",
    readOnlyRoot: true,
    files: readOnly,
    guest: {
      from: 0,
      asks: () => [{ kind: "mount", about: "/" }],
      against: ([root]) => {
        const { options } = (root ?? { options: [] }) as MountEntry;
        return unless(options.includes("ro"), options.join(","));
      },
    },
  },
  {
    id: "root-refuses-writes",
    what: `a write to ${refused.map((path) => path.replace(/(.)\/$/, "$1")).join(", ")} fails with "Read-only file system"`,
    readOnlyRoot: true,
    guest: {
      from: 0,
      asks: () => refused.map((path) => query("touch", `${path}x-provision`)),
      against: (answers) =>
        refused.flatMap((path, at) => {
          const { code, stderr } = answers[at] as Output;
          const said = code === 0 ? "it was written to" : stderr.trim();
          return unless(code !== 0 && said.includes("Read-only file system"), `${path}: ${said}`);
        }),
    },
  },
  {
    id: "etc-overlay",
    what: "/etc is laid over the image's before the system starts",
    readOnlyRoot: true,
    guest: {
      from: 0,
      asks: () => [{ kind: "mount", about: "/etc" }],
      against: ([etc]) => {
        const { fsType = "nothing mounted" } = (etc ?? {}) as Partial<MountEntry>;
        return unless(fsType === "overlay", fsType);
      },
    },
  },
  {
    id: "state-writable",
    what: `${kept.join(", ")} can be written to, and keep it over reboots`,
    readOnlyRoot: true,
    guest: {
      from: 0,
      asks: (visit) => kept.map((path) => probe(path, visit)),
      against: (answers, visit) => probed(kept, answers, visit, textOf(visit.boot - 1, visit)),
    },
  },
  {
    id: "temporary-forgotten",
    what: `${forgotten.join(" and ")} can be written to, and are empty again after a reboot`,
    readOnlyRoot: true,
    guest: {
      from: 0,
      asks: (visit) => forgotten.map((path) => probe(path, visit)),
      against: (answers, visit) => probed(forgotten, answers, visit, ""),
    },
  },
  {
    id: "state-fills-disk",
    what: "the state file system has grown to the end of a larger disk",
    readOnlyRoot: true,
    guest: {
      from: 0,
      asks: () => [query("sh", "-c", MEASURE, "provision-measure")],
      against: ([found]) => tooSmall(printed(found)),
    },
  },
  {
    id: "apt-refused",
    what: "apt refuses to change packages, and says what to do instead",
    readOnlyRoot: true,
    guest: {
      from: 0,
      asks: () => ["apt-get", "apt"].map((apt) => query(apt, "install", "-y", "hello")),
      against: (answers) =>
        answers.flatMap((answer) => {
          const { code, stderr } = answer as Output;
          return unless(
            code === 100 && stderr.includes(maintenanceSentence),
            `exit ${code}: ${stderr.trim()}`,
          );
        }),
    },
  },
  {
    id: "journal-kept",
    what: "the journal tells of the boots before",
    readOnlyRoot: true,
    guest: {
      from: 1,
      asks: () => [query("journalctl", "--list-boots", "--quiet", "--no-pager")],
      against: ([boots], { boot }) => {
        const count = printed(boots)
          .split("\n")
          .filter((each) => /^-?\d+ /.test(each.trim())).length;
        return unless(count > boot, `${count} boots`);
      },
    },
  },
  {
    id: "no-caches-due",
    what: "systemd has no cache of the image to renew",
    readOnlyRoot: true,
    guest: {
      from: 0,
      asks: () => [query("stat", "--format=%Y", "/usr", "/var/.updated")],
      against: ([times]) => {
        const [usr, updated] = printed(times).split("\n").map(Number);
        return unless(
          usr !== undefined && updated !== undefined && updated >= usr,
          `/usr ${usr}, /var/.updated ${updated}`,
        );
      },
    },
  },
];

async function readOnly(tree: ImageTree): Promise<string[]> {
  const fstab = (await tree.text("/etc/fstab")) ?? "";
  const root = fstab.split("\n").find((each) => /^[^#\s]\S*\s+\/\s/.test(each));
  const options = root?.split(/\s+/)[3]?.split(",") ?? [];
  const against = options.includes("ro") ? [] : [`/etc/fstab: ${root ?? "no line for /"}`];
  if ((await tree.text(stateLayout.marker)) === undefined) against.push(`${stateLayout.marker} is missing`);
  for (const path of stateLayout.moved)
    if (!fstab.includes(` ${path} `)) against.push(`/etc/fstab: no line for ${path}`);
  return against;
}

/** Prints what the last boot wrote, then writes and reads back: a mode bit says nothing of a file system. */
const PROBE = `
file=$1/.provision-verify
cat "$file" 2>/dev/null
echo
printf %s "$2" >"$file" && cat "$file"
`;

function probe(path: string, visit: Visit) {
  return query("sh", "-c", PROBE, "provision-probe", path, textOf(visit.boot, visit));
}

function textOf(boot: number, { identity }: Visit): string {
  return boot < 0 ? "" : `${identity.hostName} at boot ${boot}`;
}

function probed(
  paths: readonly string[],
  answers: readonly unknown[],
  visit: Visit,
  wanted: string,
): readonly string[] {
  return paths.flatMap((path, at) => {
    const { stdout, stderr } = answers[at] as Output;
    const [before, after] = stdout.split("\n");
    return [
      ...unless(
        after === textOf(visit.boot, visit),
        `${path}: ${stderr.trim() || "what was written is not there"}`,
      ),
      // Its own text: the connection was lost, and the question came again.
      ...unless(
        before === wanted || before === textOf(visit.boot, visit),
        `${path}: from before there is "${before}", should be "${wanted}"`,
      ),
    ];
  });
}

/** In sectors of 512 bytes: the disk, where the partition begins, its size; then blocks and their size in bytes. */
const MEASURE = `
device=$(findmnt -no SOURCE ${stateLayout.mountPoint})
part=/sys/class/block/\${device#/dev/}
cat "/sys/class/block/$(lsblk -ndo PKNAME "$device")/size" "$part/start" "$part/size"
dumpe2fs -h "$device" 2>/dev/null | sed -n 's/^Block count: *//p; s/^Block size: *//p'
`;

function tooSmall(measured: string): readonly string[] {
  const [disk, start, size, blocks, blockBytes] = measured.split("\n").map(Number);
  if (blockBytes === undefined) return [`cannot be measured: ${line(measured)}`];
  const behind = ((disk ?? 0) - (start ?? 0) - (size ?? 0)) * 512;
  const unused = (size ?? 0) * 512 - (blocks ?? 0) * blockBytes;
  // The second partition table and its alignment; a last group of blocks that would be too small to be one.
  return [
    ...unless(behind <= 2 * MIB, `${Math.round(behind / MIB)} MiB of the disk lie behind its partition`),
    ...unless(unused <= 16 * MIB, `${Math.round(unused / MIB)} MiB of its partition are not used`),
  ];
}
