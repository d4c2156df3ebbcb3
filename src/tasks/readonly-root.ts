import { readOnlyRoot } from "../provisioner/core/read-only-root.ts";
import { Type } from "../provisioner/core/schema.ts";
import { stateLayout } from "../provisioner/core/state-layout.ts";
import {
  type Action,
  attributeDifferences,
  type Change,
  defineTask,
  differences,
  digestOf,
  type Facts,
  type FileStat,
  type MountEntry,
  Refusal,
  run,
  write,
} from "../provisioner/core/task.ts";

/**
 * All that a root needs before it can be read-only. The switch itself is the seal's last act: a machine whose root
 * is read-only can settle nothing more. Bases of kind `bootstrap` have all of it from birth.
 */
export const readonlyRoot = defineTask({
  name: "readonly-root",
  summary: "A root that is read-only once the image is sealed; what changes lives on the state file system.",
  schema: Type.Object({}, { additionalProperties: false }),
  examples: [
    {
      title: "An image whose root nobody writes to",
      params: {},
      trial: {
        only: {
          bases: ["debian-13", "debian-12", "debian-13-nvidia"],
          because: "a vendor's image has no state file system",
        },
      },
    },
  ],

  // Nothing that the initramfs is made of: it would take minutes to make it twice.
  spoil: () => [{ kind: "remove", path: readOnlyRoot.files[0].path }],

  subject: () => "/",

  owns: () => [
    ...[readOnlyRoot.hook, readOnlyRoot.script, ...readOnlyRoot.files].map(({ path }) => path),
    ...readOnlyRoot.links.map(({ path }) => path),
  ],

  async read(facts): Promise<State> {
    const [root, state, fstab, files, links, initramfs, made] = await Promise.all([
      facts.mount("/"),
      facts.mount(stateLayout.mountPoint),
      facts.file("/etc/fstab"),
      Promise.all(bootFiles.map((file) => readFile(facts, file))),
      Promise.all(readOnlyRoot.links.map(({ path }) => facts.stat(path))),
      facts.query({ argv: ["sh", "-c", LIST_STAMPS, "provision-initramfs"] }),
      Promise.all([readOnlyRoot.hook, readOnlyRoot.script].map((file) => textOf(facts, file))),
    ]);
    return { root, state, fstab, files, links, initramfs: initramfs.stdout, stamp: stampOf(made.join("")) };
  },

  plan(_params, state) {
    refuseOtherLayouts(state);
    const changes = [
      ...state.files.flatMap(planFile),
      ...readOnlyRoot.links.flatMap(({ path, target }, at) => planLink(path, target, state.links[at])),
      ...planInitramfs(state),
    ];
    if (changes.length > 0 && state.root?.options.includes("ro")) {
      throw new Refusal(
        `root is read-only already, and ${changes.map(({ what }) => what).join(", ")} would have to change; ` +
          "build the image again and deploy it",
      );
    }
    return changes;
  },
});

interface State {
  readonly root: MountEntry | undefined;
  readonly state: MountEntry | undefined;
  readonly fstab: string | undefined;
  readonly files: readonly FoundFile[];
  readonly links: readonly (FileStat | undefined)[];
  /** A line for each kernel's initramfs: its path and the stamps in it. */
  readonly initramfs: string;
  /** The stamp of an initramfs that is made with the hook and script of this version. */
  readonly stamp: string;
}

interface FoundFile {
  readonly path: string;
  readonly mode: string;
  readonly text: string;
  readonly found: string | undefined;
  readonly stat: FileStat | undefined;
}

const bootFiles = [readOnlyRoot.hook, readOnlyRoot.script, ...readOnlyRoot.files];

/** The stamp comes first and is not compressed: to list an initramfs would take half a minute under emulation. */
const LIST_STAMPS = `
for image in /boot/initrd.img-*; do
  [ ! -e "$image" ] || echo "$image $(LC_ALL=C grep -aom1 '${stateLayout.initramfsStamp.slice(1)}/[0-9a-f]\\{16\\}' "$image" | sed 's#.*/##')"
done
`;

function textOf(facts: Facts, { template }: (typeof bootFiles)[number]): Promise<string> {
  return facts.template(template, readOnlyRoot.variables);
}

async function readFile(facts: Facts, file: (typeof bootFiles)[number]): Promise<FoundFile> {
  const { path, mode } = file;
  const [text, found, stat] = await Promise.all([textOf(facts, file), facts.file(path), facts.stat(path)]);
  return { path, mode, text, found, stat };
}

/** Where nothing is mounted there is no machine yet: a plan is made all the same. */
function refuseOtherLayouts({ root, state, fstab = "" }: State): void {
  if (!root) return;
  if (!state) {
    throw new Refusal(
      `nothing is mounted at ${stateLayout.mountPoint}, where a read-only root keeps what changes; build from a ` +
        "base of kind `bootstrap`, which is divided so",
    );
  }
  for (const { open, sealed } of Object.values(stateLayout.fstab)) {
    const lines = fstab.split("\n");
    if (lines.includes(open) || lines.includes(sealed)) continue;
    throw new Refusal(
      `/etc/fstab lacks the line "${open}", which sealing switches; let no other use touch it`,
    );
  }
}

function planFile({ path, mode, text, found, stat }: FoundFile): readonly Change[] {
  if (stat?.type === "file" && found === text) {
    return attributeDifferences(path, { mode, owner: "root", group: "root" }, stat);
  }
  return [{ what: path, from: found, to: text, actions: [parentOf(path), write(path, text, { mode })] }];
}

function planLink(path: string, target: string, stat: FileStat | undefined): readonly Change[] {
  return differences({
    what: path,
    from: stat?.target ?? stat?.type,
    to: target,
    actions: [parentOf(path), { kind: "symlink", path, target }],
  });
}

/** Minutes under emulation, so only when one was not made with what stands on the disk. */
function planInitramfs({ initramfs, stamp }: State): readonly Change[] {
  const images = initramfs.split("\n").filter((line) => line !== "");
  const found = images.length === 0 ? undefined : images.map((line) => line.split(" ").slice(1).join(" "));
  const stale = found?.find((each) => each !== stamp);
  return differences({
    what: "initramfs",
    from: found ? (stale ?? stamp) : undefined,
    to: stamp,
    actions: [
      {
        kind: "run",
        command: run("update-initramfs", "-u", "-k", "all").command,
        detached: true,
        touches: ["query"],
      },
    ],
  });
}

function stampOf(text: string): string {
  return digestOf(text).slice(0, 16);
}

function parentOf(path: string): Action {
  return { kind: "directory", path: path.slice(0, path.lastIndexOf("/")) };
}
