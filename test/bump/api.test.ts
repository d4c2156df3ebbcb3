import { describe, expect, it } from "vitest";

import { openApi } from "../../src/provisioner/bump/api.ts";
import { helloAssets, helloEntry, renewOne } from "../support/bump-shop.ts";
import { quietRun } from "../support/quiet-run.ts";
import { serveReleases } from "../support/release-server.ts";

const token = { variable: "GITHUB_TOKEN", value: "s3cret" };

async function serve() {
  const server = await serveReleases();
  server.releases.set("example/hello", [
    { tag: "v1.1.0", assets: helloAssets("1.1.0") },
    { tag: "v1.0.0", assets: helloAssets("1.0.0") },
  ]);
  return server;
}

describe("a rate limit", () => {
  it("is waited out when it is short, and told", async () => {
    await using server = await serve();
    server.intercept = (_request, response) => {
      if (server.requests.length > 1) return false;
      response.writeHead(403, { "retry-after": "7" }).end("secondary rate limit");
      return true;
    };

    const { renewals, notes, waitedMs } = await renewOne(server, helloEntry("1.0.0"));

    expect(renewals).toMatchObject([{ version: "1.1.0" }]);
    expect(waitedMs).toHaveLength(1);
    expect(waitedMs[0]).toBeGreaterThan(6900);
    expect(waitedMs[0]).toBeLessThanOrEqual(7000);
    expect(notes).toEqual([`${server.api} asks to wait 7 s`]);
  });

  it.each([
    ["Retry-After", () => ({ "retry-after": "3600" })],
    [
      "the time of its reset",
      () => ({
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": `${Math.floor(Date.now() / 1000) + 3600}`,
      }),
    ],
  ])("ends the run with its end and the mend when it is long, by %s", async (_what, headers) => {
    await using server = await serve();
    server.intercept = (_request, response) => {
      response.writeHead(403, headers()).end("{}");
      return true;
    };

    const { failed, waitedMs } = await renewOne(server, helloEntry("1.0.0"));

    expect(failed).toMatchObject([{ error: { code: "API_LIMITED" } }]);
    const { message, mend } = failed[0]?.error ?? {};
    const until = Date.parse(/until (\S+)$/.exec(message ?? "")?.[1] ?? "");
    expect(Math.abs(until - Date.now() - 3_600_000)).toBeLessThan(5000);
    expect(mend).toContain("Set GITHUB_TOKEN");
    expect(waitedMs).toEqual([]);
    expect(server.requests).toHaveLength(1);
  });

  it("is no endless wait when it never ends", async () => {
    await using server = await serve();
    server.intercept = (_request, response) => {
      response.writeHead(429, { "retry-after": "1" }).end("{}");
      return true;
    };

    const { failed } = await renewOne(server, helloEntry("1.0.0"));

    expect(failed).toMatchObject([{ error: { code: "API_REFUSED" } }]);
    expect(server.requests.length).toBeLessThan(6);
  });

  it("is not taken for one when access is forbidden", async () => {
    await using server = await serve();
    server.intercept = (_request, response) => {
      response
        .writeHead(403, { "content-type": "application/json" })
        .end('{"message":"Resource not accessible"}');
      return true;
    };

    const { failed, waitedMs } = await renewOne(server, helloEntry("1.0.0"));

    expect(failed[0]?.error.message).toContain("HTTP 403: Resource not accessible");
    expect(waitedMs).toEqual([]);
  });
});

describe("a token", () => {
  it("is sent to the API, and to nothing else", async () => {
    await using server = await serve();
    const assets = {
      "hello-1.1.0-x86_64.tar.gz": { bytes: "one", digest: null },
      "hello-1.1.0-aarch64.tar.gz": "two",
    };
    server.releases.set("example/hello", [{ tag: "v1.1.0", assets }]);

    await renewOne(server, helloEntry("1.0.0"), { api: { token } });

    const sent = server.requests;
    expect(
      sent.filter(({ path }) => path.startsWith("/api/")).map(({ authorization }) => authorization),
    ).toEqual(["Bearer s3cret"]);
    expect(
      sent.filter(({ path }) => path.startsWith("/files/")).map(({ authorization }) => authorization),
    ).toEqual([undefined]);
  });

  it("is kept from another server that the API redirects to", async () => {
    await using elsewhere = await serve();
    await using server = await serve();
    server.intercept = (_request, response, url) => {
      response.writeHead(301, { location: elsewhere.api.replace("/api/v3", "") + url.pathname }).end();
      return true;
    };

    const { renewals } = await renewOne(server, helloEntry("1.0.0"), { api: { token } });

    expect(renewals).toMatchObject([{ version: "1.1.0" }]);
    expect(server.requests[0]?.authorization).toBe("Bearer s3cret");
    expect(elsewhere.requests.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  it("goes along when the API redirects within itself", async () => {
    await using server = await serve();
    server.intercept = (_request, response, url) => {
      if (url.searchParams.has("moved")) return false;
      response.writeHead(301, { location: `${url.pathname}?moved=1` }).end();
      return true;
    };

    await renewOne(server, helloEntry("1.0.0"), { api: { token } });

    expect(server.requests.map(({ authorization }) => authorization)).toEqual([
      "Bearer s3cret",
      "Bearer s3cret",
    ]);
  });

  it("that is refused is left out from then on, and its variable is named", async () => {
    await using server = await serve();
    server.intercept = (request, response) => {
      if (request.headers.authorization === undefined) return false;
      response.writeHead(401).end('{"message":"Bad credentials"}');
      return true;
    };

    const { renewals, notes } = await renewOne(server, helloEntry("1.0.0"), { api: { token } });

    expect(renewals).toMatchObject([{ version: "1.1.0" }]);
    expect(notes).toEqual([
      expect.stringMatching(/^GITHUB_TOKEN is refused by http:.*: going on without it$/),
    ]);
    expect(server.requests.map(({ authorization }) => authorization)).toEqual(["Bearer s3cret", undefined]);
  });

  it("is not sent in the clear to another machine", async () => {
    await using server = await serve();
    const seen: (string | null)[] = [];
    const inner: typeof fetch = (input, init) => {
      seen.push(new Headers(init?.headers).get("authorization"));
      return fetch((input as URL).href.replace("http://api.example.org", server.api), init);
    };

    const { notes } = await renewOne(server, helloEntry("1.0.0"), {
      api: { token, base: "http://api.example.org", fetch: inner },
    });

    expect(seen).toEqual([null]);
    expect(notes[0]).toContain("GITHUB_TOKEN is not sent");
  });
});

describe("a failure that passes", () => {
  it.each<[string, number | "drop" | "cut"]>([
    ["HTTP 502", 502],
    ["a connection that is dropped", "drop"],
    ["an answer that breaks off", "cut"],
  ])("is asked again after: %s", async (_what, how) => {
    await using server = await serve();
    server.intercept = (request, response) => {
      if (server.requests.length > 2) return false;
      if (how === "drop") request.socket.destroy();
      else if (how === "cut") {
        response.writeHead(200, { "content-type": "application/json", "content-length": "1000" });
        response.write('[{"tag_name"', () => request.socket.destroy());
      } else response.writeHead(how).end();
      return true;
    };

    const { renewals, waitedMs } = await renewOne(server, helloEntry("1.0.0"));

    expect(renewals).toMatchObject([{ version: "1.1.0" }]);
    expect(waitedMs).toHaveLength(2);
  });

  it("that does not pass is an error after four times", async () => {
    await using server = await serve();
    server.intercept = (request) => {
      request.socket.destroy();
      return true;
    };

    const { failed } = await renewOne(server, helloEntry("1.0.0"));

    expect(failed).toMatchObject([{ error: { code: "API_UNREACHABLE" } }]);
    expect(server.requests).toHaveLength(4);
  });

  it("is met once, not once for every tool, when the server never answers", async () => {
    await using server = await serve();
    server.intercept = (request) => {
      request.socket.destroy();
      return true;
    };
    const api = openApi({
      base: server.api,
      token: undefined,
      fetch,
      run: quietRun(),
      pause: async () => {},
    });
    await expect(api.look("/repos/example/one", {})).rejects.toMatchObject({ code: "API_UNREACHABLE" });

    await expect(api.look("/repos/example/two", {})).rejects.toMatchObject({ code: "API_UNREACHABLE" });

    expect(server.requests).toHaveLength(4);
  });

  it("is not asked again when it may have been done: a pull request is opened once", async () => {
    await using server = await serve();
    server.intercept = (_request, response) => {
      response.writeHead(502).end();
      return true;
    };
    const api = openApi({ base: server.api, token, fetch, run: quietRun(), pause: async () => {} });

    const sent = api.send("POST", "/repos/{owner}/{repo}/pulls", { owner: "acme", repo: "pins", title: "x" });

    await expect(sent).rejects.toMatchObject({ code: "API_REFUSED" });
    expect(server.requests).toHaveLength(1);
  });

  it("is not what a repository is that is not there", async () => {
    await using server = await serve();

    const { failed } = await renewOne(server, helloEntry("1.0.0", { repo: "example/gone" }));

    expect(failed[0]?.error.message).toContain('there is no "example/gone" that can be seen without a token');
    expect(server.requests).toHaveLength(1);
  });

  it.each(["<html>", '{"message": "moved"}', "null"])(
    "is not what an answer is of another form: %s",
    async (body) => {
      await using server = await serve();
      server.intercept = (_request, response) => {
        response.writeHead(200, { "content-type": "application/json" }).end(body);
        return true;
      };

      const { failed } = await renewOne(server, helloEntry("1.0.0"));

      expect(failed[0]?.error.message).toContain("must be a list of releases, is something else");
    },
  );
});
