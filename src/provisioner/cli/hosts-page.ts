import { hostSchema } from "../spec/host-schema.ts";
import { parameterRows, parameterTable } from "./task-page.ts";
import type { Schema } from "./task-page.ts";

/** The page about hosts/*.yaml: its prose, and every key of its schema. */
export function hostsPage(): string {
  const { networks, users } = hostSchema.properties;
  const top = parameterRows(hostSchema as unknown as Schema).filter(
    ({ name }) => !/^(networks|users)\[\]/.test(name),
  );
  return `${[
    prose,
    "## The file",
    "",
    ...parameterTable("Key", top),
    "",
    "## A network card",
    "",
    cardWords,
    ...parameterTable("Key", parameterRows(itemsOf(networks))),
    "",
    "## A user",
    "",
    userWords,
    ...parameterTable("Key", parameterRows(itemsOf(users))),
  ].join("\n")}\n`;
}

function itemsOf(list: unknown): Schema {
  return (list as { readonly items: Schema }).items;
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
**No command makes a host of its file yet**: so far the files are checked, and that is all.

\`tasks\` and \`variables\` are those of a spec (\`provision tasks\` shows each task); files named by \`source\` lie beside the
host's own.
`;

const cardWords = `A card joins one of libvirt's networks or a bridge. Without \`addresses\` it asks by DHCP. A gateway lies inside the network of
an address beside it, or is a link-local address of IPv6; over all cards there is one for each family.
`;

const userWords = `Nobody has a password: a user comes in by key, and \`sudo\` asks for nothing. A host with \`tasks\` needs a user with \`sudo\`,
as who they are settled.
`;
