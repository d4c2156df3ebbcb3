import type { HostSpec } from "../../src/provisioner/spec/host-spec.ts";

/** A host to be, as the least that its file can say makes it; `changes` say what a test is about. */
export function someHost(changes: Partial<HostSpec> = {}): HostSpec {
  return {
    name: "web",
    fqdn: undefined,
    image: { kind: "spec", name: "base", version: undefined },
    hypervisor: undefined,
    pool: "default",
    cpus: 2,
    memoryMiB: 2048,
    disk: { sizeGiB: undefined, mode: "overlay" },
    extraDisks: [],
    networks: [someCard()],
    users: [someUser()],
    timezone: undefined,
    autostart: true,
    gpus: [],
    labels: {},
    variables: {},
    ...changes,
  };
}

/** A card on libvirt's own network. */
export function someCard(changes: Partial<HostSpec["networks"][number]> = {}): HostSpec["networks"][number] {
  return {
    joins: { kind: "network", name: "default" },
    mac: "52:54:00:00:00:01",
    interface: "net0",
    dhcp4: true,
    dhcp6: false,
    addresses: [],
    gateways: [],
    dns: { servers: [], search: [] },
    ...changes,
  };
}

/** A user who comes in by what the agent holds. */
export function someUser(changes: Partial<HostSpec["users"][number]> = {}): HostSpec["users"][number] {
  return {
    name: "alice",
    comment: undefined,
    keys: [{ kind: "agent" }],
    groups: [],
    sudo: false,
    shell: "/bin/bash",
    ...changes,
  };
}
