import type { Ending, FakeHost } from "./fake-host.ts";

/** The public key that the fake machine finds for any private one. */
const publicOf = (key: string) => `public-of-${key.trim()}`;

const keyFile = (name: string) => `/etc/wireguard/${name}.key`;

/** What runs, as the fake machine keeps it. */
const liveFile = (name: string) => `/run/wireguard/${name}`;

/** `provision-wireguard-look NAME` */
export function lookAtWireguard([, name = ""]: readonly string[], { files, units }: FakeHost): Ending {
  const key = files.read(keyFile(name));
  const shared = files.paths().filter((path) => path.startsWith(`/etc/wireguard/${name}.psk-`));
  const isUp = units.state(`wg-quick@${name}.service`).active === "active";
  const lines = [
    ...shared.map((path) => `shared ${path}`),
    ...(key === undefined ? [] : [`key ${publicOf(key)}`]),
    ...(isUp ? (files.read(liveFile(name)) ?? "").split("\n") : []),
  ];
  return { stdout: `${lines.join("\n")}\n` };
}

/** `provision-wireguard-key NAME` */
export function makeWireguardKey([, name = ""]: readonly string[], { files }: FakeHost): Ending {
  const [, kept] = /^PrivateKey = (.*)$/m.exec(files.read(`/etc/wireguard/${name}.conf`) ?? "") ?? [];
  files.write(keyFile(name), `${kept ?? "made-here"}\n`, { mode: "0600" });
  return { stdout: `public key of ${name}: ${publicOf(kept ?? "made-here")}\n` };
}

/** `provision-wireguard start|restart|sync NAME` */
export function bringUpWireguard([, verb = "", name = ""]: readonly string[], host: FakeHost): Ending {
  const { files, units } = host;
  const unit = `wg-quick@${name}.service`;
  if (verb === "sync" && units.state(unit).active !== "active") return { code: 1, stderr: "no such device" };
  if (verb !== "sync") units.systemctl(verb, unit);
  const conf = files.read(`/etc/wireguard/${name}.conf`) ?? "";
  const peers = [...conf.matchAll(/^PublicKey = (.*)$/gm)].map(([, key]) => `peer ${key}`);
  files.directory("/run/wireguard");
  files.write(liveFile(name), [`running ${publicOf(files.read(keyFile(name)) ?? "")}`, ...peers].join("\n"));
  return 0;
}
