import { fillAddressing, type NetworkCard } from "../../provisioner/core/network-card.ts";
import {
  type Action,
  attributeDifferences,
  defineTask,
  digestOf,
  type FileStat,
  guarded,
  guardPlace,
  Refusal,
  write,
} from "../../provisioner/core/task.ts";
import { FILE, GUARD, STAMP } from "./files.ts";
import { meaning, netplanText } from "./netplan-text.ts";
import { type Params, schema } from "./schema.ts";
import { APPLY, applyFiles, checkText } from "./scripts.ts";

/**
 * The machine's network by netplan, in the file that cloud-init writes at the first boot: what a seed said then is as
 * good as what is said now. A change that cuts the machine off is taken back by the machine itself.
 */
export const network = defineTask({
  name: "network",
  summary:
    "The machine's network cards with their addresses, by netplan; a change that cuts it off is taken back.",
  schema,
  examples: [
    {
      title: "A static address, and one that a router gives",
      params: {
        cards: [
          {
            mac: "52:54:00:12:34:56",
            interface: "lan0",
            addresses: ["192.0.2.10/24", "2001:db8::10/64"],
            gateways: ["192.0.2.1"],
            dns: { servers: ["192.0.2.53"], search: ["example.org"] },
          },
          { mac: "52:54:00:12:34:57", interface: "lan1" },
        ],
      },
      // By its own hardware address, and beside the address by which it is reached.
      trial: {
        insteadOn: ({ mac }) => ({
          cards: [
            {
              mac,
              interface: "lan0",
              dhcp4: true,
              addresses: ["192.0.2.10/24", "2001:db8::10/64"],
              dns: { search: ["example.org"] },
            },
          ],
        }),
      },
    },
  ],

  // By its meaning: what only reads differently is as wanted.
  spoil: () => [write(FILE, "network: { version: 2 }\n")],

  subject: () => FILE,

  owns: () => [FILE],

  async read(facts): Promise<State> {
    const [text, found, stamp, armed] = await Promise.all([
      facts.file(FILE),
      facts.stat(FILE),
      facts.file(STAMP),
      facts.stat(guardPlace(GUARD)),
    ]);
    return { text, found, stamp, armed };
  },

  plan(params, state) {
    const cards = cardsOf(params);
    const text = netplanText(cards);
    const [from, to] = [state.text === undefined ? undefined : meaning(state.text), meaning(text)];
    const stamp = `${digestOf(to)}\n`;
    const use = [applyFiles(), stampFolder, write(STAMP, stamp)];
    const guard = { name: GUARD, keeps: [FILE, STAMP], restore: APPLY };
    if (from !== to) {
      const actions = [folder, write(FILE, text, private600), ...use];
      const changes = guarded([{ what: FILE, from, to, actions }], guard, state.armed);
      const check = checkText(
        text,
        cards.map(({ mac }) => mac),
      );
      // Before anything is guarded: what netplan does not take is not put in place.
      return changes.map((change) => ({ ...change, actions: [check, ...change.actions] }));
    }
    return [
      ...(state.found ? attributeDifferences(FILE, private600, state.found) : []),
      ...guarded(isCutOff(state, stamp) ? [{ ...inUse, actions: use }] : [], guard, state.armed),
    ];
  },
});

interface State {
  readonly text: string | undefined;
  readonly found: FileStat | undefined;
  readonly stamp: string | undefined;
  /** The guard of a change that is not confirmed yet. */
  readonly armed: FileStat | undefined;
}

const private600 = { mode: "0600", owner: "root", group: "root" };
const folder: Action = { kind: "directory", path: "/etc/netplan" };
const stampFolder: Action = { kind: "directory", path: STAMP.slice(0, STAMP.lastIndexOf("/")) };
const inUse = { what: `${FILE} in use`, from: "not known", to: "yes" };

/** A change ended between the file and its use. Whoever booted with the file, or wrote it first, has it in use. */
function isCutOff({ armed, stamp }: State, wanted: string): boolean {
  return armed !== undefined && stamp !== wanted;
}

function cardsOf({ cards }: Params): readonly NetworkCard[] {
  for (const key of ["mac", "interface"] as const) {
    const values = cards.map((card) => card[key]);
    const twice = values.find((value, at) => values.indexOf(value) !== at);
    if (twice !== undefined)
      throw new Refusal(`each card must have a ${key} of its own, two have "${twice}"`);
  }
  return cards.map((card) => ({ mac: card.mac, interface: card.interface, ...fillAddressing(card) }));
}
