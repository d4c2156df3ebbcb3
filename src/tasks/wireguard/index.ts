import {
  type Action,
  type Change,
  defineTask,
  differences,
  guarded,
  run,
  write,
} from "../../provisioner/core/task.ts";
import { planSecretFile, type SecretFile } from "../scripts/secret-file.ts";
import { keepStamp, planAtBoot, planDropIn, planGone, reload } from "../scripts/service.ts";
import { DIRECTORY, ownName, placesOf, sharedKeyFile } from "./files.ts";
import { guardOf } from "./guard.ts";
import { type Params, schema } from "./schema.ts";
import { bringUp, makeKey, outlasting } from "./scripts.ts";
import { broughtKeys, readState, type State } from "./state.ts";
import { confText, dropInText, stampsOf, stampText, withoutKeys } from "./texts.ts";

const tools = [{ apt: { present: ["wireguard-tools"] } }];
const vpnName = {
  name: "vpn-name",
  argv: ["sh", "-c", "echo 192.0.2.1 vpn.example.org >> /etc/hosts"],
  unless: ["grep", "-q", "vpn.example.org", "/etc/hosts"],
};

/**
 * A WireGuard interface by wg-quick(8), up at boot. Keys lie in files of their own, 0600, and pass from there on
 * standard input: no configuration, argument, log or diff ever holds one.
 */
export const wireguard = defineTask({
  name: "wireguard",
  summary: "A WireGuard interface with its keys and peers, up now and at boot.",
  schema,
  examples: [
    {
      title: "One end, with a key that is made there and never leaves it",
      params: {
        interface: "wg0",
        address: ["10.77.0.1/24", "fd77::1/64"],
        listenPort: 51820,
        peers: [
          {
            publicKey: "yLIyYJw0uvlSMOwFHTlsCrWd1SRU4Ykb1IB9NlWxG3E=",
            allowedIps: ["10.77.0.2/32", "fd77::2/128"],
          },
        ],
      },
      trial: { given: tools },
    },
    {
      title: "The other, behind NAT, with keys from a password store",
      params: {
        interface: "office",
        address: ["10.77.0.2/32"],
        privateKey: { command: ["pass", "show", "wireguard/laptop"] },
        peers: [
          {
            publicKey: "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=",
            endpoint: "vpn.example.org:51820",
            allowedIps: ["10.77.0.0/24"],
            presharedKey: { file: "~/keys/office.psk" },
            keepalive: 25,
          },
        ],
      },
      // A name that the machine can look up without a network.
      trial: { given: [...tools, { command: vpnName }] },
    },
    {
      title: "Remove one, with its keys",
      params: { interface: "wg9", state: "absent" },
      trial: { given: [...tools, { wireguard: { interface: "wg9", address: ["10.79.0.1/24"] } }] },
    },
  ],

  spoil({ interface: name, state }) {
    const { conf } = placesOf(name);
    return state === "absent" ? [write(conf, "spoiled\n", private600)] : undefined;
  },

  subject: ({ interface: name }) => name,

  owns({ interface: name, peers = [] }) {
    const { conf, key, dropIn } = placesOf(name);
    const shared = peers.flatMap(({ publicKey, presharedKey }) =>
      presharedKey ? [sharedKeyFile(name, publicKey)] : [],
    );
    return [conf, key, dropIn, ...shared];
  },

  read: readState,

  plan(params, state) {
    const isRisky = params.state === "absent" ? !isDown(state) : planUp(params, state).length > 0;
    const changes = params.state === "absent" ? planAbsent(params, state) : planPresent(params, state);
    return isRisky || state.armed ? guarded(changes, guardOf(params, state), state.armed) : changes;
  },
});

const private600 = { mode: "0600", owner: "root", group: "root" };
const directory: Action = { kind: "directory", path: DIRECTORY, mode: "0700" };

function planPresent(params: Params, state: State): readonly Change[] {
  return [
    ...planOwnKey(params, state),
    ...state.sharedKeys.flatMap((file) => planKey(file)),
    ...planTexts(params, state),
    ...planUp(params, state),
    // Last: until then the interface may still be started with them.
    ...planNoLongerShared(state),
  ];
}

function planOwnKey({ interface: name }: Params, { key }: State): readonly Change[] {
  if (key.text !== undefined || key.digest !== undefined) return planKey(key);
  return [{ what: key.path, from: undefined, to: "a key made there", actions: [directory, makeKey(name)] }];
}

function planKey(file: SecretFile): readonly Change[] {
  return planSecretFile(file, { attributes: private600, directory, from: "another key" });
}

function planTexts(params: Params, { conf, dropIn, unit }: State): readonly Change[] {
  const places = placesOf(params.interface);
  const wanted = confText(params);
  return [
    ...differences({
      what: places.conf,
      from: conf === undefined ? undefined : withoutKeys(conf),
      to: wanted,
      actions: [directory, write(places.conf, wanted, private600)],
    }),
    ...planDropIn(places.unit, { path: places.dropIn, found: dropIn, wanted: dropInText(params) }, unit),
    ...planAtBoot(places.unit, unit),
  ];
}

function planUp(params: Params, state: State): readonly Change[] {
  const { interface: name, peers = [] } = params;
  const { publicKey, running, peers: livePeers } = state.live;
  const wanted = stampsOf(params, broughtKeys(state));
  const text = stampText(wanted);
  const keep = keepStamp(ownName(name), text);
  const what =
    publicKey === undefined || state.key.text !== undefined ? name : `${name}, public key ${publicKey}`;
  const change = (from: string, to: string, verb: Parameters<typeof bringUp>[0]): readonly Change[] => [
    { what, from, to, actions: [bringUp(verb, name), ...keep] },
  ];
  if (state.unit.active !== "active") return change(state.unit.active, "active", "start");
  if (!state.stamp?.includes(wanted.start)) return change("started otherwise", "started so", "restart");
  const hasPeers = sorted(livePeers) === sorted(peers.map((peer) => peer.publicKey));
  const hasKey = publicKey !== undefined && publicKey === running;
  return state.stamp === text && hasPeers && hasKey ? [] : change("other peers or keys", "these", "sync");
}

function sorted(keys: readonly string[]): string {
  return keys.toSorted().join(" ");
}

function planNoLongerShared({ sharedKeys, live }: State): readonly Change[] {
  return live.sharedFiles
    .filter((path) => !sharedKeys.some((wanted) => wanted.path === path))
    .flatMap((path) => planGone(path, true));
}

function planAbsent({ interface: name }: Params, state: State): readonly Change[] {
  const { unit: service, conf, key, dropIn, stamp } = placesOf(name);
  const { unit, live } = state;
  const there: readonly (readonly [string, unknown])[] = [
    [conf, state.conf],
    [key, state.key.found],
    ...live.sharedFiles.map((path) => [path, true] as const),
    [stamp, state.stamp],
  ];
  return [
    ...differences({
      what: `${service} at boot`,
      from: unit.enabled.startsWith("enabled") ? "enabled" : undefined,
      to: undefined,
      actions: [run("systemctl", "disable", service)],
    }),
    ...(isDown(state)
      ? []
      : [
          {
            what: name,
            from: unit.active,
            to: "inactive",
            actions: [outlasting(run("systemctl", "stop", service))],
          },
        ]),
    ...there.flatMap(([path, found]) => planGone(path, found !== undefined)),
    ...planGone(dropIn, state.dropIn !== undefined, reload),
  ];
}

function isDown({ unit }: State): boolean {
  return unit.active === "inactive" || unit.active === "failed";
}
