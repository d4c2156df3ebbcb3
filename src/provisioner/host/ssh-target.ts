import { parse, type default as SshConfig } from "ssh-config";

import { ProvisionError } from "../core/errors.ts";
import { expandTokens, type Controller } from "./ssh-tokens.ts";
import { readSshConfig, sshConfigFile } from "./ssh-config-text.ts";

/** All that is needed to reach one machine: where it is, what proves it is that machine, and who we are. */
export interface SshTarget {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** The name its key has in known_hosts: `host`, `[host]:port`, or HostKeyAlias. */
  readonly knownAs: string;
  /** The one key it must have, as in a .pub file; known_hosts is not asked then. */
  readonly hostKey?: string;
  readonly knownHosts: readonly string[];
  /** Text of the one key we log in with; files and agent are not asked then. */
  readonly privateKey?: string;
  readonly identityFiles: readonly string[];
  /** The keys the agent holds are offered only when a file of the list names them. */
  readonly identitiesOnly: boolean;
  /** Socket of the agent. */
  readonly agent: string | undefined;
  /** Machines to go through, the nearest first. */
  readonly jumps: readonly SshTarget[];
}

/** For people: user@host:port. */
export function targetName({ user, host, port }: Pick<SshTarget, "user" | "host" | "port">): string {
  return `${user}@${bracket(host)}:${port}`;
}

/** A machine whose key and login we made ourselves: no file of the user's is read. */
export function ownTarget(
  made: Pick<SshTarget, "host" | "user"> & { port?: number; hostKey: string; privateKey: string },
): SshTarget {
  const port = made.port ?? 22;
  return {
    ...made,
    port,
    knownAs: knownName(made.host, port),
    knownHosts: [],
    identityFiles: [],
    identitiesOnly: true,
    agent: undefined,
    jumps: [],
  };
}

/** What the user wrote: user@host:port, an alias of ssh_config, an IPv6 address in brackets. */
export function parseTarget(text: string): { user?: string; host: string; port?: number } {
  const at = text.lastIndexOf("@");
  const user = at === -1 ? undefined : text.slice(0, at);
  const rest = text.slice(at + 1);
  // No character a shell could take for its own: the name stands in lines we tell people to run.
  const found = /^(?:\[([^\]]+)\]|([^:[\]\s'"`$\\;&|<>()]+))(?::(\d+))?$/.exec(rest);
  // Two colons and no brackets: an address, as ssh itself takes it, with no room for a port.
  const host =
    found?.[1] ?? found?.[2] ?? (/^[0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.%\w]*$/i.test(rest) ? rest : "");
  const port = found?.[3] === undefined ? undefined : Number(found[3]);
  const bad = (what: string) => new ProvisionError("SSH_TARGET_MALFORMED", { target: text, what });
  if (user === "") throw bad("the user must be named before the @, is empty");
  if (host === "" || host.startsWith("-")) throw bad(`the host must be a name or an address, is "${rest}"`);
  if (port !== undefined && (port < 1 || port > 65_535)) throw bad(`the port must be 1 to 65535, is ${port}`);
  return { host, ...(user !== undefined && { user }), ...(port !== undefined && { port }) };
}

/** The target with what the user's ssh_config says of it, jump hosts included. */
export async function readTarget(text: string, controller: Controller): Promise<SshTarget> {
  const config = parse(await readSshConfig(controller));
  return resolve(text, { config, controller, via: [] });
}

interface Context {
  readonly config: SshConfig;
  readonly controller: Controller;
  /** The targets whose ProxyJump led here: a ring is refused. */
  readonly via: readonly string[];
  readonly jumps?: readonly SshTarget[];
}

function resolve(text: string, context: Context): SshTarget {
  const { config, controller } = context;
  const asked = parseTarget(text);
  // `Match exec` is not run: reading a config must not start programs.
  const computed = config.compute(
    { Host: asked.host, ...(asked.user !== undefined && { User: asked.user }) },
    { ignoreCase: true, matchExec: false },
  );
  const one = (name: string) => many(computed, name)[0];
  const user = asked.user ?? one("user") ?? controller.user;
  const port = asked.port ?? Number(one("port") ?? 22);
  const host = (one("hostname") ?? asked.host).replaceAll("%h", asked.host).replaceAll("%%", "%");
  const expand = (value: string) =>
    expandTokens(value, { controller, original: asked.host, host, port, user });
  const files = (name: string, fallback: readonly string[]) => {
    const values = many(computed, name);
    return (values.length === 0 ? fallback : values.filter((value) => value !== "none")).map(expand);
  };
  const alias = one("hostkeyalias");
  const partial = { host, port, user };
  return {
    ...partial,
    knownAs: alias ?? knownName(host, port),
    knownHosts: [
      ...files("userknownhostsfile", ["~/.ssh/known_hosts", "~/.ssh/known_hosts2"]),
      ...files("globalknownhostsfile", controller.globalKnownHosts ?? ["/etc/ssh/ssh_known_hosts"]),
    ],
    identityFiles: files("identityfile", ["~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa"]),
    identitiesOnly: one("identitiesonly")?.toLowerCase() === "yes",
    agent: agentSocket(one("identityagent"), controller, expand),
    jumps: context.jumps ?? jumpsOf(text, partial, one("proxyjump"), one("proxycommand"), context),
  };
}

/** The chain of ProxyJump. Only the nearest hop's own ProxyJump counts, as with `ssh -J`. */
function jumpsOf(
  text: string,
  target: Pick<SshTarget, "host" | "port" | "user">,
  jump: string | undefined,
  command: string | undefined,
  context: Context,
): readonly SshTarget[] {
  const refuse = (what: string, mend: string) =>
    new ProvisionError("SSH_CONFIG_REFUSED", { file: sshConfigFile(context.controller), what, mend });
  if (jump === undefined) {
    if (command === undefined || command.toLowerCase() === "none") return [];
    throw refuse(`ProxyCommand of "${text}" is not supported`, "Reach the machine with ProxyJump instead");
  }
  if (jump.toLowerCase() === "none") return [];
  const via = [...context.via, text];
  const hops = jump.split(",").map((hop) => hop.trim().replace(/^ssh:\/\//, ""));
  if (hops.some((hop) => via.slice(0, -1).includes(hop)))
    throw refuse(`ProxyJump goes round in a ring: ${[...via, jump].join(" → ")}`, "Break the ring");
  const chain: SshTarget[] = [];
  for (const [index, hop] of hops.entries()) {
    // A `Host *` block gives the jump host itself as its own jump: ssh skips it too.
    if (hop === text || sameMachine(parseTarget(hop), target)) return [];
    const found = resolve(hop, { ...context, via, ...(index > 0 && { jumps: [] }) });
    chain.push(...found.jumps, { ...found, jumps: [] });
  }
  return chain;
}

function sameMachine(
  hop: ReturnType<typeof parseTarget>,
  target: Pick<SshTarget, "host" | "port" | "user">,
): boolean {
  return (
    hop.host === target.host &&
    (hop.port ?? target.port) === target.port &&
    (hop.user ?? target.user) === target.user
  );
}

function agentSocket(
  configured: string | undefined,
  controller: Controller,
  expand: (value: string) => string,
): string | undefined {
  if (configured?.toLowerCase() === "none") return undefined;
  if (configured === undefined || configured === "SSH_AUTH_SOCK")
    return controller.env["SSH_AUTH_SOCK"] || undefined;
  return expand(configured);
}

function many(computed: Record<string, string | string[]>, name: string): readonly string[] {
  const value = computed[name];
  return value === undefined ? [] : [value].flat();
}

function knownName(host: string, port: number): string {
  return port === 22 ? host : `[${host}]:${port}`;
}

function bracket(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
