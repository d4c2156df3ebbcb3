import type { Static } from "typebox";

import { Type } from "../../provisioner/core/schema.ts";
import {
  type Change,
  defineTask,
  differences,
  type DriverPin,
  type Facts,
  osReleasePath,
  type PinnedDriver,
  readDistribution,
  type RunAction,
  run,
  type UnitState,
  write,
} from "../../provisioner/core/task.ts";
import { aptEnvironment } from "../scripts/apt-script.ts";
import { aptWaits, waitWords } from "../scripts/apt-waits.ts";
import { installScript } from "./install-script.ts";
import { type Found, lookAt, readLook } from "./look.ts";
import { pinFor, refuseKernels, refuseLoaded } from "./refuse.ts";

const schema = Type.Object(
  {
    flavour: Type.Optional(
      Type.Union([Type.Literal("open"), Type.Literal("proprietary")], {
        description: "The kernel module there must be; left out: whichever versions.yaml pins",
      }),
    ),
    persistence: Type.Optional(
      Type.Boolean({
        default: true,
        description: "Keep the device awake between uses, by nvidia-persistenced, where there is a device",
      }),
    ),
    signingKey: Type.Optional(
      Type.Union([Type.Literal("removed"), Type.Literal("kept")], {
        default: "removed",
        description:
          "The key that dkms makes to sign modules; kept: for a machine that trusts it for Secure Boot",
      }),
    ),
    ...aptWaits,
    timeoutMinutes: Type.Optional(
      Type.Integer({
        minimum: 1,
        default: 360,
        description: "How long installing and compiling may take; a guest without KVM takes hours",
      }),
    ),
  },
  { additionalProperties: false },
);

type Params = Static<typeof schema>;

/**
 * NVIDIA's driver, by versions.yaml: its packages, and its module built for the kernel that is pinned with it. A
 * machine without a GPU can have it too: nothing is loaded and nothing asked of a device that is not there.
 */
export const nvidiaDriver = defineTask({
  name: "nvidia-driver",
  summary: "NVIDIA's driver of versions.yaml, its module built for the kernel that is pinned with it.",
  schema,
  examples: [
    {
      title: "The pinned driver",
      params: { persistence: true },
      trial: {
        only: { bases: ["debian-13-nvidia"], because: "its kernel module must be built for the base" },
      },
    },
  ],

  subject: () => "nvidia",

  owns: () => files.map(({ path }) => path),

  async read(facts, { persistence = true }): Promise<State> {
    const driver = await facts.driver("nvidia");
    const pins = Object.values(driver.pins);
    const names = new Set(pins.flatMap(({ packages }) => packages.map((each) => split(each).name)));
    const [osRelease, look, versions, unit, texts] = await Promise.all([
      facts.file(osReleasePath),
      facts.query(lookAt([...new Set(pins.map(({ module }) => module))])),
      Promise.all([...names].map(async (name) => [name, await facts.package(name)] as const)),
      facts.unit(DAEMON),
      Promise.all(files.map(({ path, template }) => textOf(facts, path, template, { persistence }))),
    ]);
    return {
      driver,
      distribution: osRelease === undefined ? undefined : readDistribution(osRelease)?.name,
      found: readLook(look),
      versions: new Map(versions),
      unit,
      texts,
    };
  },

  plan(params, state) {
    const { driver, distribution, found } = state;
    const pin = pinFor(driver, distribution, params.flavour);
    refuseKernels(pin, found);
    const isBuilt =
      packageChange(pin, params, state).from === "" && moduleOf(pin, found) === wantedModule(pin);
    if (isBuilt) refuseLoaded(pin, found);
    return differences(
      // Before the packages, which make an initramfs and start the daemon.
      ...state.texts.map(planText),
      packageChange(pin, params, state),
      {
        what: `module for ${pin.kernel}`,
        from: moduleOf(pin, found),
        to: wantedModule(pin),
        actions: [install(pin, params, [])],
      },
      keyChange(params, found),
      daemonChange(params, state.unit),
      ...deviceChanges(pin, params, state),
    );
  },
});

const DAEMON = "nvidia-persistenced.service";
/** What a base with the driver gets as well, in `baseFiles`. udevd sees by itself that a rule is new. */
const files = [
  { path: "/etc/modprobe.d/provision-nvidia.conf", template: "nvidia/nouveau.conf" },
  { path: "/etc/modules-load.d/nvidia.conf", template: "nvidia/modules-load.conf" },
  { path: `/etc/systemd/system/${DAEMON}.d/provision.conf`, template: "nvidia/persistenced.conf" },
  { path: "/etc/udev/rules.d/90-provision-nvidia.rules", template: "nvidia/device.rules" },
] as const;
const INSTALL = installScript();

interface State {
  readonly driver: PinnedDriver;
  /** `undefined` where there is no machine yet. */
  readonly distribution: string | undefined;
  readonly found: Found;
  readonly versions: ReadonlyMap<string, string | undefined>;
  readonly unit: UnitState;
  readonly texts: readonly Text[];
}

interface Text {
  readonly path: string;
  readonly wanted: string;
  readonly found: string | undefined;
}

async function textOf(
  facts: Facts,
  path: string,
  template: string,
  variables: Readonly<Record<string, unknown>>,
): Promise<Text> {
  // The packages have a link of their own at one of these: only a file is ours.
  const [wanted, found, stat] = await Promise.all([
    facts.template(template, variables),
    facts.file(path),
    facts.stat(path),
  ]);
  return { path, wanted, found: stat?.type === "symlink" ? stat.target : found };
}

function planText({ path, wanted, found }: Text): Change {
  const isUnit = path.startsWith("/etc/systemd/");
  return {
    what: path,
    from: found,
    to: wanted,
    actions: [
      { kind: "directory", path: path.slice(0, path.lastIndexOf("/")) },
      write(path, wanted),
      ...(isUnit ? [run("systemctl", "daemon-reload")] : []),
    ],
  };
}

function packageChange({ packages, ...pin }: DriverPin, params: Params, { versions }: State): Change {
  const coming = packages.filter((each) => versions.get(split(each).name) !== split(each).version);
  const told = coming.map((each) => `${split(each).name} ${versions.get(split(each).name) ?? "absent"}`);
  const wanted = coming.map((each) => each.replace("=", " "));
  return {
    what: "packages",
    from: told.join("\n"),
    to: wanted.join("\n"),
    actions: [
      install({ packages, ...pin }, params, ["--no-install-recommends", "--allow-downgrades", ...coming]),
    ],
  };
}

function wantedModule({ module, version, kernel }: DriverPin): string {
  return `${module} ${version} for ${kernel}, installed`;
}

/** The module as modinfo and dkms say it, in the words of `wantedModule`. */
function moduleOf({ module, version, kernel }: DriverPin, { modules, dkms }: Found): string | undefined {
  const state = dkms.get(`${module}/${version}, ${kernel}`) ?? dkms.get(`${module}/${version}`);
  const found = modules.find((each) => each.module === module && each.kernel === kernel);
  if (!found) return state && `${module} ${version}, ${state}`;
  return `${module} ${found.version} for ${found.builtFor}, ${state ?? "unknown to dkms"}`;
}

function install(
  { module, version, kernel }: DriverPin,
  { signingKey = "removed", timeoutMinutes = 360, ...waits }: Params,
  apt: readonly string[],
): RunAction {
  const words = [...waitWords(waits), module, version, kernel, signingKey];
  return {
    kind: "run",
    detached: true,
    timeoutMs: timeoutMinutes * 60_000,
    command: { argv: ["sh", "-c", INSTALL, "provision-nvidia", ...words, ...apt], env: aptEnvironment },
  };
}

function keyChange({ signingKey = "removed" }: Params, { keys }: Found): Change {
  const found = signingKey === "kept" || keys.length === 0 ? undefined : keys.join("\n");
  return {
    what: "key of dkms",
    from: found,
    to: undefined,
    actions: keys.map((path) => ({ kind: "remove", path })),
  };
}

function daemonChange({ persistence = true }: Params, { enabled }: UnitState): Change {
  const isOn = enabled === "enabled";
  return {
    what: `${DAEMON} at boot`,
    from: enabled,
    to:
      isOn === persistence || (!persistence && enabled === "")
        ? enabled
        : persistence
          ? "enabled"
          : "disabled",
    actions: [run("systemctl", persistence ? "enable" : "disable", DAEMON)],
  };
}

/** The proof, where there is something to prove it on: the device answers, and by the pinned driver. */
function deviceChanges(
  pin: DriverPin,
  { persistence = true }: Params,
  { found, unit }: State,
): readonly Change[] {
  // Another kernel runs: the module is there for the next boot.
  if (!found.hasDevice || found.running !== pin.kernel) return [];
  const isIdle = persistence && unit.active !== "active";
  return [
    {
      what: "nvidia-smi",
      from: found.answer,
      to: pin.version,
      actions: [run("modprobe", "nvidia"), run("nvidia-smi")],
    },
    {
      what: DAEMON,
      from: unit.active,
      to: isIdle ? "active" : unit.active,
      actions: [run("systemctl", "start", DAEMON)],
    },
  ];
}

function split(item: string): { readonly name: string; readonly version: string } {
  const [name = "", version = ""] = item.split("=");
  return { name, version };
}
