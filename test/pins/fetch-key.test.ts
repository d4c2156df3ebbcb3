import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, it } from "vitest";

import { fetchKey } from "../../src/provisioner/pins/fetch-key.ts";
import { exampleKey } from "../../src/tasks/apt-repository/example-key.ts";
import { serveFile } from "../support/file-server.ts";
import { quietRun } from "../support/quiet-run.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

const fingerprints = [exampleKey.fingerprint];
const body = Buffer.from(exampleKey.text);

function keyAt(url: string, pinned: readonly string[] = fingerprints) {
  return { name: "the key of vendor", url, fingerprints: pinned };
}

async function options() {
  return { cacheDir: await scratchFolder(), mirrors: [], run: quietRun(), pause: async () => {} };
}

it("fetches a key once, and then needs no server", async () => {
  const cache = await options();
  const server = await serveFile(body);
  const key = keyAt(server.url);

  const first = await fetchKey(key, cache);
  await server[Symbol.asyncDispose]();
  const second = await fetchKey(key, cache);

  expect([first, second]).toEqual([exampleKey.text, exampleKey.text]);
  expect(server.requests).toHaveLength(1);
});

it("refuses another key, naming both fingerprints, and keeps nothing of it", async () => {
  const cache = await options();
  await using server = await serveFile(body);
  const wanted = "0123456789ABCDEF0123456789ABCDEF01234567";

  const failure = fetchKey(keyAt(server.url, [wanted]), cache);

  await expect(failure).rejects.toMatchObject({
    code: "KEY_DIFFERS",
    message:
      `Cannot use the key of vendor from ${server.url}: the key must have the fingerprint ${wanted}, ` +
      `has ${exampleKey.fingerprint}`,
  });
  const left = (await readdir(join(cache.cacheDir, "keys"))).filter((name) => !name.endsWith(".lock"));
  expect(left).toEqual([]);
});

it("refuses what is no key", async () => {
  const cache = await options();
  await using server = await serveFile(Buffer.from("<html>Not here</html>"));

  await expect(fetchKey(keyAt(server.url), cache)).rejects.toMatchObject({
    code: "KEY_DIFFERS",
    message: expect.stringContaining("BEGIN PGP PUBLIC KEY BLOCK"),
  });
});

it("does not trust its own cache more than a server", async () => {
  const cache = await options();
  await using server = await serveFile(body);
  await fetchKey(keyAt(server.url), cache);
  const path = join(cache.cacheDir, "keys", `${exampleKey.fingerprint}.asc`);
  await writeFile(path, "somebody else's");

  const again = await fetchKey(keyAt(server.url), cache);

  expect(again).toBe(exampleKey.text);
  expect(await readFile(path, "utf8")).toBe(exampleKey.text);
});

it("says where it asked when no place answers", async () => {
  const server = await serveFile(body);
  await server[Symbol.asyncDispose]();

  await expect(fetchKey(keyAt(server.url), { ...(await options()), attempts: 1 })).rejects.toMatchObject({
    code: "DOWNLOAD_FAILED",
    message: expect.stringContaining(server.url),
    mend: expect.stringContaining("PROVISION_MIRRORS"),
  });
});

it("takes it from a mirror when the mirror's is the right one, and from its own URL when it is not", async () => {
  await using wrong = await serveFile(Buffer.from("no key"));
  await using right = await serveFile(body);
  const mirrors = [
    { of: "http://vendor.example/", use: [wrong.url.replace("file", ""), right.url.replace("file", "")] },
  ];
  const cache = { ...(await options()), mirrors };

  const text = await fetchKey(keyAt("http://vendor.example/file"), cache);

  expect(text).toBe(exampleKey.text);
  expect([wrong.requests.length, right.requests.length]).toEqual([1, 1]);
});
