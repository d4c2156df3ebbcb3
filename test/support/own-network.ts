import process from "node:process";

import { execa } from "execa";

/** A network of its own, which a host of systemd-host.ts can have for itself, and a cable to this machine. */
export interface OwnNetwork extends AsyncDisposable {
  /** Name of the network namespace, as `ip netns` has it. */
  readonly name: string;
  /** This machine's end of the cable. */
  readonly here: string;
  /** The address of the other end, and its hardware address; its interface is eth0. */
  readonly address: string;
  readonly mac: string;
  /** Runs `ip ARGS` inside. */
  ip(...args: readonly string[]): Promise<void>;
  /** Gives this machine's end of the cable one more address. */
  addHere(address: string): Promise<void>;
}

let count = 0;

/** Lays one. Its addresses are 10.217.x.y, by this process's number. */
export async function layNetwork(): Promise<OwnNetwork> {
  count += 1;
  const name = `pvn${process.pid % 100_000}-${count}`;
  const outer = `${name}o`;
  const [third, fourth] = [process.pid % 250, (count % 60) * 4];
  const [here, address] = [1, 2].map((last) => `10.217.${third}.${fourth + last}`) as [string, string];
  const mac = `52:54:00:d9:${hex(third)}:${hex(count)}`;
  const ip = async (...args: readonly string[]) => void (await execa("ip", args));
  const dispose = async () => {
    await ip("netns", "del", name).catch(() => {});
    await ip("link", "del", outer).catch(() => {});
  };
  try {
    await ip("netns", "add", name);
    await ip("link", "add", outer, "type", "veth", "peer", "name", "eth0", "address", mac, "netns", name);
    await ip("addr", "add", `${here}/30`, "dev", outer);
    await ip("link", "set", outer, "up");
    await ip("-n", name, "link", "set", "lo", "up");
    await ip("-n", name, "addr", "add", `${address}/30`, "dev", "eth0");
    await ip("-n", name, "link", "set", "eth0", "up");
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    name,
    here,
    address,
    mac,
    ip: (...args) => ip("-n", name, ...args),
    addHere: (more) => ip("addr", "add", more, "dev", outer),
    [Symbol.asyncDispose]: dispose,
  };
}

function hex(number: number): string {
  return (number % 256).toString(16).padStart(2, "0");
}
