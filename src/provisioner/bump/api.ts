import { Octokit } from "@octokit/core";

import { ProvisionError } from "../core/errors.ts";
import { type ApiFetchOptions, openApiFetch } from "./api-fetch.ts";

/** What an API answered. */
export interface ApiAnswer {
  /** Foreign: of any form. */
  readonly data: unknown;
  /** Whether a list has more pages. */
  readonly more: boolean;
}

/** The API that releases and pull requests are asked of. */
export interface Api {
  readonly base: string;
  /** Whether there is a token, and none has said that it is no good. */
  readonly hasToken: () => boolean;
  /** Looks something up, once however often it is asked for; `undefined` when there is no such thing. */
  look(url: string, parameters: ApiParameters): Promise<ApiAnswer | undefined>;
  /** Asks or changes something, now. */
  send(method: "GET" | "POST" | "PATCH", url: string, parameters: ApiParameters): Promise<ApiAnswer>;
}

type ApiParameters = Readonly<Record<string, string | number | boolean>>;

/** Opens the API; asks nothing yet. */
export function openApi(options: ApiFetchOptions): Api {
  const { base, run } = options;
  const silent = () => {};
  const log = { debug: silent, info: silent, warn: silent, error: silent };
  const http = openApiFetch(options);
  const octokit = new Octokit({
    baseUrl: base,
    userAgent: "provision",
    log,
    request: { fetch: http.fetch, log },
  });

  async function send(method: string, url: string, parameters: ApiParameters): Promise<ApiAnswer> {
    const headers = { "x-github-api-version": "2022-11-28" };
    try {
      const answer = await octokit.request<unknown>({ ...parameters, method, url, headers });
      return { data: answer.data, more: /;\s*rel="next"/.test(answer.headers.link ?? "") };
    } catch (error) {
      run.signal.throwIfAborted();
      throw refusal(`${method} ${shown(url, parameters)}`, error);
    }
  }

  const looked = new Map<string, Promise<ApiAnswer | undefined>>();
  return {
    base,
    hasToken: http.hasToken,
    send,
    look(url, parameters) {
      const key = JSON.stringify([url, parameters]);
      const known = looked.get(key);
      if (known) return known;
      const asked = send("GET", url, parameters).catch((error: unknown) => {
        if (
          error instanceof ProvisionError &&
          (error.cause as { status?: unknown } | undefined)?.status === 404
        )
          return undefined;
        throw error;
      });
      looked.set(key, asked);
      return asked;
    },
  };
}

/** The client wraps what its HTTP layer throws; ours goes out as it is. */
function refusal(what: string, error: unknown): unknown {
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof ProvisionError) return cause;
  const { status, message } = error as { status?: unknown; message?: unknown };
  if (typeof status !== "number") return error;
  const reason = `HTTP ${status}: ${String(message).slice(0, 300)}`;
  return new ProvisionError("API_REFUSED", { what, reason }, { cause: error });
}

function shown(url: string, parameters: ApiParameters): string {
  return url.replaceAll(/\{(\w+)\}/g, (_, name: string) => String(parameters[name] ?? ""));
}
