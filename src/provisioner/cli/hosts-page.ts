import { hostSchema } from "../spec/host-schema.ts";
import { parameterRows, parameterTable } from "./task-page.ts";

/** The page about hosts/*.yaml: its prose, and every key of its schema. */
export function hostsPage(): string {
  const { networks, users } = hostSchema.properties;
  const top = parameterRows({ ...hostSchema }).filter(({ name }) => !/^(networks|users)\[\]/.test(name));
  return `${[
    prose,
    "## The file",
    "",
    ...parameterTable("Key", top),
    "",
    "## A network card",
    "",
    cardWords,
    ...parameterTable("Key", parameterRows({ ...networks.items })),
    "",
    "## A user",
    "",
    userWords,
    ...parameterTable("Key", parameterRows({ ...users.items })),
  ].join("\n")}\n`;
}

const prose = `# hosts/*.yaml

One file for each machine: what it starts from, what it is given, and who may log in. Its name is the host's:
\`hosts/host01.yaml\` is \`host01\`. \`hosts/defaults.yaml\` holds what is the same for all and lies under each of them:
mappings are merged key by key, everything else, lists too, is as the host's own file has it. \`image\` and \`users\` must
stand in one of the two. Editors check both by \`schema/host.schema.json\`.

\`\`\`yaml
description: A small server with an address of its own
image: base
memoryMiB: 4096
disk: { sizeGiB: 20 }
networks:
  - network: default
    addresses: [192.168.122.10/24]
    gateways: [192.168.122.1]
    dns: { servers: [192.168.122.1] }
users:
  - name: alice
    keys: [agent, { file: ~/.ssh/id_ed25519.pub }]
    sudo: true
\`\`\`

\`provision validate\` checks every host, with its defaults and against all others: a hardware address or a static address
that stands twice is an error which names both places. \`provision validate host01\` checks one of them against the rest.

## From a file to a host

\`provision deploy host01\` makes the host, and run again brings it to what its file says by then; with nothing to do
it logs in once and asks once. \`--check --diff\` says what would be done. In order:

1. The image goes to the hypervisor's pool, unless it is there; its digest is checked before. The host's disk is an
   overlay on it or a copy (\`disk.mode\`); \`provision gc\` removes images that no disk stands on.
2. Hardware addresses, fixed addresses and PCI devices are checked against what the hypervisor knows; a fixed address in
   one of libvirt's networks is kept from its DHCP server. Somebody else's domain of that name is never touched.
3. cloud-init makes the host what its file says at the first boot, with a host key that provision made: the first
   connection checks it already. Then the seed's copy of that key is removed.
4. Users, keys, sudo rules, time zone and the host's tasks are settled over SSH as the first user with \`sudo\`, by the
   keys the file names, those of \`~/.ssh\` and the agent's. They follow the file from then on: a user who is taken out
   of it loses the account and keeps the home.

| What differs | What deploy does |
| --- | --- |
| users, keys, groups, time zone, tasks | changes it on the running host |
| autostart | changes it at once |
| cpus, memory, a larger disk, extra disks, network cards, gpus | shuts the host down, changes it, starts it; the plan says so |
| image, a smaller disk, disk mode, pool, domain | refuses; with \`--replace\` makes the system disk anew, says what is lost and asks |

A host that follows the newest image of a spec (\`image: base\`) keeps its own until \`--replace\`. Extra disks outlive
all of it. What was written down of a host (its key, its users, its image) is in the domain's metadata, so that whoever
reaches the hypervisor can look after it.

\`tasks\` and \`variables\` are those of a spec (\`provision tasks\` shows each task); files named by \`source\` lie beside the
host's own.
`;

const cardWords = `A card joins one of libvirt's networks or a bridge. Without \`addresses\` it asks by DHCP. A gateway lies inside the network of
an address beside it, or is a link-local address of IPv6; over all cards there is one for each family.
`;

const userWords = `Nobody has a password: a user comes in by key, and \`sudo\` asks for nothing. One at least has \`sudo\`: as the first of
them the host is set up and looked after.
`;
