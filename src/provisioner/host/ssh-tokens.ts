/** The person and the machine we connect from. */
export interface Controller {
  readonly home: string;
  readonly user: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** ssh_config to read; ~/.ssh/config when left out. */
  readonly configFile?: string;
  /** known_hosts of the whole machine; /etc/ssh/ssh_known_hosts when left out. */
  readonly globalKnownHosts?: readonly string[];
}

/** Fills a path of ssh_config: `~`, `${VARIABLE}` and the %-tokens of ssh_config(5) that name files use. */
export function expandTokens(
  value: string,
  about: { controller: Controller; original: string; host: string; port: number; user: string },
): string {
  const { controller, original, host, port, user } = about;
  const tokens: Readonly<Record<string, string>> = {
    "%": "%",
    d: controller.home,
    h: host,
    n: original,
    p: String(port),
    r: user,
    u: controller.user,
  };
  return expandHome(value, controller)
    .replaceAll(/\$\{(\w+)\}/g, (_, name: string) => controller.env[name] ?? "")
    .replaceAll(/%(.)/g, (whole, letter: string) => tokens[letter] ?? whole);
}

/** `~/x` to the home's x. */
export function expandHome(path: string, { home }: Pick<Controller, "home">): string {
  return path === "~" || path.startsWith("~/") ? home + path.slice(1) : path;
}
