import { expect, it } from "vitest";

import { ask } from "../../src/provisioner/pins/ask.ts";
import type { Fetch } from "../../src/provisioner/pins/http.ts";

interface Asked {
  readonly url: string;
  readonly authorization: string | undefined;
}

/** A network of redirects: each URL leads to the next; what leads nowhere has the file. */
function network(redirects: Readonly<Record<string, string>>): {
  readonly fetch: Fetch;
  readonly asked: Asked[];
} {
  const asked: Asked[] = [];
  const fetch: Fetch = async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    asked.push({ url, authorization: new Headers(init?.headers).get("authorization") ?? undefined });
    const location = redirects[url];
    if (location === undefined) return new Response("file");
    return new Response(null, { status: 302, headers: { location } });
  };
  return { fetch, asked };
}

function asking(fetch: Fetch) {
  return { fetch, headers: {}, signal: new AbortController().signal };
}

it("follows a redirect to another host", async () => {
  const { fetch, asked } = network({ "https://a.example/x": "https://cdn.example/y?signature=1" });

  const response = await ask("https://a.example/x", asking(fetch));

  expect(await response.text()).toBe("file");
  expect(asked.map(({ url }) => url)).toEqual(["https://a.example/x", "https://cdn.example/y?signature=1"]);
});

it.each([
  ["https://a.example/x", "http://a.example/x?token=abc", /from https to http \(http:\/\/a\.example\/x\?…\)/],
  ["https://a.example/x", "file:///etc/shadow", /from https to file/],
  ["http://a.example/x", "ftp://a.example/x", /from http to ftp/],
])("refuses to be led from %s to %s", async (from, to, reason) => {
  const { fetch, asked } = network({ [from]: to });

  await expect(ask(from, asking(fetch))).rejects.toMatchObject({
    message: expect.stringMatching(reason) as string,
    retryAfterMs: undefined,
  });
  expect(asked).toHaveLength(1);
});

it("gives up a ring of redirects", async () => {
  const { fetch, asked } = network({ "https://a.example/": "/b", "https://a.example/b": "/" });

  await expect(ask("https://a.example/", asking(fetch))).rejects.toThrow("redirected more than 10 times");
  expect(asked).toHaveLength(11);
});

it("tells user and password to their own origin alone, and never in the URL", async () => {
  const { fetch, asked } = network({
    "https://mirror.example/x": "/y",
    "https://mirror.example/y": "https://eve:eve@other.example/z",
  });

  await ask("https://joe:s%40cret@mirror.example/x", asking(fetch));

  const authorization = `Basic ${Buffer.from("joe:s@cret").toString("base64")}`;
  expect(asked).toEqual([
    { url: "https://mirror.example/x", authorization },
    { url: "https://mirror.example/y", authorization },
    { url: "https://other.example/z", authorization: undefined },
  ]);
});
