import type { buildConnector } from "undici";

import { ProvisionError } from "../core/errors.ts";

/** As the built-in one. */
export type Fetch = typeof globalThis.fetch;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * A `fetch` that goes through the proxies the environment names, as curl does: `https_proxy` is for https alone,
 * `all_proxy` for what has none of its own, and lower case comes before upper. The built-in one where none is named:
 * loading undici costs more than all else that a small command does.
 */
export function fetchFor(env: Environment): Fetch {
  const proxies = {
    "http:": proxyOf(env, "http_proxy"),
    "https:": proxyOf(env, "https_proxy"),
  };
  if (proxies["http:"] === "" && proxies["https:"] === "") return globalThis.fetch;
  let loaded: Promise<Fetch> | undefined;
  return async (input, init) => {
    const { protocol } = new URL(input instanceof Request ? input.url : input);
    // Undici would send https through the proxy that was named for http.
    if (proxies[protocol as keyof typeof proxies] === "") return globalThis.fetch(input, init);
    loaded ??= loadFetch(proxies["http:"], proxies["https:"], read(env, "no_proxy") ?? "");
    return (await loaded)(input, init);
  };
}

async function loadFetch(httpProxy: string, httpsProxy: string, noProxy: string): Promise<Fetch> {
  const { EnvHttpProxyAgent, fetch, Pool } = await import("undici");
  const dispatcher = new EnvHttpProxyAgent({
    httpProxy,
    httpsProxy,
    noProxy,
    // Left to itself undici asks for a tunnel to port 80 too, which proxies refuse as a rule.
    proxyTunnel: false,
    clientFactory: (proxy, given) => {
      const { connect } = given as { readonly connect: buildConnector.connector };
      return new Pool(proxy, { ...given, connect: atMost(connectsPerSecond, connect) });
    },
  });
  const proxied = fetch as unknown as (input: unknown, init: object) => Promise<Response>;
  return (input, init) => proxied(input, { ...init, dispatcher });
}

/**
 * A proxy that drops a connection before it has answered CONNECT is asked again by undici at once and for ever,
 * thousands of times a second; this many are enough to know it by.
 */
const connectsPerSecond = 50;

function atMost(limit: number, connect: buildConnector.connector): buildConnector.connector {
  let began = 0;
  let count = 0;
  return (options, done) => {
    const now = performance.now();
    if (now - began > 1000) {
      began = now;
      count = 0;
    }
    count += 1;
    if (count > limit) done(new Error("the proxy closes each connection without an answer"), null);
    else connect(options, done);
  };
}

/** A proxy as a URL; "" for none. */
function proxyOf(env: Environment, name: string): string {
  const own = read(env, name);
  const [from, text] = own === undefined ? ["all_proxy", read(env, "all_proxy") ?? ""] : [name, own];
  if (text === "") return "";
  const whole = text.includes("://") ? text : `http://${text}`;
  const url = URL.canParse(whole) ? new URL(whole) : undefined;
  if (url?.hostname && /^https?:$/.test(url.protocol)) return url.href;
  throw new ProvisionError("SETTING_INVALID", {
    name: from,
    wanted: "an http or https URL, like http://proxy:3128",
    got: withoutUser(text),
  });
}

function read(env: Environment, name: string): string | undefined {
  return env[name] ?? env[name.toUpperCase()];
}

/** Of a text that need not be a URL: what stands before the last @ may be a password. */
function withoutUser(text: string): string {
  return text.replace(/^(.*:\/\/)?.*@/s, "$1");
}
