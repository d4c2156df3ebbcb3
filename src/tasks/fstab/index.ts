import type { Static } from "typebox";

import { Type } from "../../provisioner/core/schema.ts";
import {
  absolutePath,
  type Action,
  type Change,
  defineTask,
  differences,
  type FileStat,
  type MountEntry,
  Refusal,
  run,
  write,
} from "../../provisioner/core/task.ts";
import { type Entry, format, linesOf, withEntry } from "./entry.ts";

const schema = Type.Object(
  {
    mountPoint: Type.String({
      pattern: `^/$|${absolutePath}`,
      description: "Where it is mounted; the line of fstab is found by it",
    }),
    device: Type.Optional(
      Type.String({ minLength: 1, description: "What is mounted: LABEL=state, UUID=…, /dev/vdb1, tmpfs" }),
    ),
    type: Type.Optional(
      Type.String({ pattern: "^[a-zA-Z0-9_.-]+$", description: "File system: ext4, tmpfs, none for a bind" }),
    ),
    options: Type.Optional(
      Type.String({ pattern: "^\\S+$", default: "defaults", description: "Mount options, with commas" }),
    ),
    dump: Type.Optional(Type.Integer({ minimum: 0, default: 0, description: "Whether dump(8) saves it" })),
    pass: Type.Optional(
      Type.Integer({
        minimum: 0,
        default: 0,
        description: "When fsck checks it: 1 the root, 2 others, 0 never",
      }),
    ),
    state: Type.Optional(
      Type.Union([Type.Literal("mounted"), Type.Literal("present"), Type.Literal("absent")], {
        default: "mounted",
        description: "mounted: line and mount; present: the line alone; absent: neither line nor mount",
      }),
    ),
  },
  {
    additionalProperties: false,
    anyOf: [
      { required: ["device", "type"], properties: { device: {}, type: {} } },
      { required: ["state"], properties: { state: { const: "absent" } } },
    ],
  },
);

/**
 * One entry of /etc/fstab. A mount that is there is never replaced: another device takes effect at the next
 * mount. Of its options those that can be seen and turned (ro, nodev, nosuid, noexec) are put right by a remount.
 */
export const fstab = defineTask({
  name: "fstab",
  summary: "One entry of /etc/fstab, found by its mount point, and the mount itself.",
  schema,
  examples: [
    {
      title: "A temporary file system",
      params: {
        mountPoint: "/tmp",
        device: "tmpfs",
        type: "tmpfs",
        options: "mode=1777,nodev,nosuid,size=50%",
      },
    },
    {
      title: "Write the line now, mount at the next boot",
      params: {
        mountPoint: "/",
        device: "LABEL=root",
        type: "ext4",
        options: "ro",
        pass: 1,
        state: "present",
      },
    },
    {
      title: "No floppy disk",
      params: { mountPoint: "/media/floppy0", state: "absent" },
      trial: {
        given: [
          { fstab: { mountPoint: "/media/floppy0", device: "/dev/fd0", type: "auto", state: "present" } },
        ],
      },
    },
  ],

  spoil({ mountPoint, state }) {
    const line = `printf 'none %s tmpfs noauto 0 0\\n' "$1" >> /etc/fstab`;
    const noLine = `awk -v at="$1" '$2 != at' /etc/fstab > /etc/fstab.new; mv /etc/fstab.new /etc/fstab`;
    return [run("sh", "-c", state === "absent" ? line : noLine, "spoil", mountPoint)];
  },

  subject: ({ mountPoint }) => mountPoint,

  async read(facts, { mountPoint }): Promise<State> {
    const [text = "", stat, mount, point, systemd] = await Promise.all([
      facts.file(FSTAB),
      facts.stat(FSTAB),
      facts.mount(mountPoint),
      facts.stat(mountPoint),
      facts.stat("/run/systemd/system"),
    ]);
    return { text, stat, mount, hasMountPoint: point !== undefined, hasSystemd: systemd !== undefined };
  },

  plan(params, state) {
    const { mountPoint, state: wanted = "mounted" } = params;
    return [
      ...planLine(params, state),
      ...(wanted === "present" ? [] : planMount(mountPoint, params, state)),
    ];
  },
});

const FSTAB = "/etc/fstab";

interface State {
  readonly text: string;
  readonly stat: FileStat | undefined;
  readonly mount: MountEntry | undefined;
  /** Whether there is something to mount on. */
  readonly hasMountPoint: boolean;
  /** Whether systemd runs the machine, so that it turns fstab into units of its own. */
  readonly hasSystemd: boolean;
}

function planLine(params: Static<typeof schema>, { text, stat, hasSystemd }: State): readonly Change[] {
  const { mountPoint } = params;
  const entry = entryOf(params);
  const changed = withEntry(text, mountPoint, entry);
  // The whole texts are compared, the lines are shown: a second line of the same mount point goes as well.
  if (changed === text) return [];
  const attributes = stat && { mode: stat.mode, owner: stat.owner, group: stat.group };
  // Should it be lost on the way, nothing is: the next boot reads fstab anyhow, and mount(8) needs no unit.
  const reload: readonly Action[] = hasSystemd
    ? [{ ...run("systemctl", "daemon-reload"), touches: ["unit", "query"] }]
    : [];
  return [
    {
      what: `${FSTAB} ${mountPoint}`,
      from: linesOf(text, mountPoint).join("\n") || undefined,
      to: entry && format(entry),
      actions: [write(FSTAB, changed, attributes), ...reload],
    },
  ];
}

function planMount(mountPoint: string, params: Static<typeof schema>, state: State): readonly Change[] {
  const { mount, hasMountPoint } = state;
  const what = `${mountPoint} mount`;
  if (params.state === "absent") {
    return differences({
      what,
      from: mount && "mounted",
      to: undefined,
      actions: [run("umount", mountPoint)],
    });
  }
  if (!mount) {
    const make: readonly Action[] = hasMountPoint ? [] : [{ kind: "directory", path: mountPoint }];
    return [{ what, from: undefined, to: "mounted", actions: [...make, run("mount", mountPoint)] }];
  }
  const options = (params.options ?? "defaults").split(",");
  const wanted = options.filter((option) => visible.includes(option));
  // Without `bind` the remount of a bind would turn the whole file system underneath.
  const bind = options.some((option) => option === "bind" || option === "rbind") ? ["bind"] : [];
  const found = wanted.map((option) => (holds(mount.options, option) ? option : opposite(option)));
  return differences({
    what: `${mountPoint} options`,
    from: found.join(","),
    to: wanted.join(","),
    actions: [run("mount", "-o", ["remount", ...bind, ...wanted].join(","), mountPoint)],
  });
}

function entryOf(params: Static<typeof schema>): Entry | undefined {
  const { mountPoint, device, type, options = "defaults", dump = 0, pass = 0, state } = params;
  if (state === "absent") return undefined;
  if (device === undefined || type === undefined)
    throw new Refusal("must have device and type, has not both");
  return { device, mountPoint, type, options, dump, pass };
}

/** Options that a mount shows and that a remount turns. */
const visible = ["ro", "rw", "nodev", "dev", "nosuid", "suid", "noexec", "exec"];

/** The kernel names what is forbidden; a bind shows the `rw` of the file system underneath beside its own `ro`. */
function holds(options: readonly string[], option: string): boolean {
  const isForbidding = option.startsWith("no") || option === "ro";
  return isForbidding ? options.includes(option) : !options.includes(opposite(option));
}

function opposite(option: string): string {
  if (option === "ro") return "rw";
  if (option === "rw") return "ro";
  return option.startsWith("no") ? option.slice(2) : `no${option}`;
}
