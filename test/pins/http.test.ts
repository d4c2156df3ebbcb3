import { createServer } from "node:net";
import type { AddressInfo } from "node:net";

import { expect, it } from "vitest";

import { fetchFor } from "../../src/provisioner/pins/http.ts";
import { serveFile } from "../support/file-server.ts";
import { startHttpProxy } from "../support/http-proxy.ts";

const body = Buffer.from("what was asked for");

it("is the built-in fetch when the environment names no proxy", () => {
  expect(fetchFor({ PATH: "/bin", NO_PROXY: "*", https_proxy: "" })).toBe(globalThis.fetch);
});

it.each(["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])(
  "asks the proxy of %s for a file",
  async (name) => {
    await using server = await serveFile(body);
    await using proxy = await startHttpProxy();

    const response = await fetchFor({ [name]: proxy.url })(server.url);

    expect(await response.text()).toBe(String(body));
    expect(proxy.asked).toEqual([`GET ${server.url}`]);
  },
);

it("takes a proxy without a scheme for an http one, and logs in at it", async () => {
  await using server = await serveFile(body);
  await using proxy = await startHttpProxy();
  const bare = proxy.url.replace("http://", "joe:s%20ecret@");

  await (await fetchFor({ http_proxy: bare })(server.url)).text();

  expect(proxy.authorizations).toEqual([`Basic ${Buffer.from("joe:s ecret").toString("base64")}`]);
});

it("asks the proxy for a tunnel when the URL is https", async () => {
  await using proxy = await startHttpProxy();
  const port = await refusedPort();

  await expect(fetchFor({ https_proxy: proxy.url })(`https://127.0.0.1:${port}/`)).rejects.toThrow(
    "fetch failed",
  );

  expect(proxy.asked).toEqual([`CONNECT 127.0.0.1:${port}`]);
});

it("keeps https away from the proxy that is for http", async () => {
  await using proxy = await startHttpProxy();
  const port = await refusedPort();

  await expect(fetchFor({ http_proxy: proxy.url })(`https://127.0.0.1:${port}/`)).rejects.toThrow(
    "fetch failed",
  );

  expect(proxy.asked).toEqual([]);
});

it.each(["127.0.0.1", "*", "example.org, 127.0.0.1"])(
  "goes around the proxy with NO_PROXY=%s",
  async (hosts) => {
    await using server = await serveFile(body);
    await using proxy = await startHttpProxy();

    const response = await fetchFor({ HTTP_PROXY: proxy.url, NO_PROXY: hosts })(server.url);

    expect(await response.text()).toBe(String(body));
    expect(proxy.asked).toEqual([]);
  },
);

it("takes lower case before upper", async () => {
  await using server = await serveFile(body);
  await using proxy = await startHttpProxy();
  await using other = await startHttpProxy();

  await (await fetchFor({ http_proxy: proxy.url, HTTP_PROXY: other.url })(server.url)).text();

  expect([proxy.asked.length, other.asked.length]).toEqual([1, 0]);
});

it.each([
  ["all_proxy", "socks5://joe:secret@proxy:1080"],
  ["https_proxy", "http://joe:secret@"],
])("refuses %s=%s without showing the password", (name, text) => {
  expect(() => fetchFor({ [name]: text })).toThrow(
    expect.objectContaining({
      code: "SETTING_INVALID",
      message: expect.not.stringContaining("secret") as string,
      facts: expect.objectContaining({ name }) as object,
    }) as Error,
  );
});

it("gives up a proxy that drops every connection", async () => {
  let connections = 0;
  const proxy = createServer((socket) => {
    connections += 1;
    socket.on("error", () => {});
    socket.once("data", () => socket.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const { port } = proxy.address() as AddressInfo;

  const asking = fetchFor({ https_proxy: `http://127.0.0.1:${port}` })("https://vendor.example/");

  await expect(asking).rejects.toMatchObject({
    cause: { message: "the proxy closes each connection without an answer" },
  });
  expect(connections).toBeLessThan(100);
  await new Promise((resolve) => proxy.close(resolve));
});

/** Of 127.0.0.1, where nobody listens. */
async function refusedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
