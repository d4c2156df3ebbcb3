import { createHash, randomBytes } from "node:crypto";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, it } from "vitest";

import { type Artifact, fetchArtifact } from "../../src/provisioner/pins/artifact-cache.ts";
import { breakAfter, serveFile } from "../support/file-server.ts";
import { recordedRun } from "../support/recorded-run.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

const body = randomBytes(300_000);
const sha256 = createHash("sha256").update(body).digest("hex");
const instantly = async () => {};

async function options(run = recordedRun().run) {
  return { cacheDir: await scratchFolder(), mirrors: [], run, pause: instantly };
}

function pinned(url: string): Artifact {
  return { name: "thing", url, sha256 };
}

it("fetches once, checks, and then needs no server", async () => {
  const cache = await options();
  const server = await serveFile(body);
  const artifact = pinned(server.url);

  const first = await fetchArtifact(artifact, cache);
  await server[Symbol.asyncDispose]();
  const second = await fetchArtifact(artifact, cache);

  expect(first.cached).toBe(false);
  expect(second).toEqual({ ...first, digest: `sha256:${sha256}`, bytes: body.length, cached: true });
  expect(await readFile(first.path)).toEqual(body);
  expect((await stat(first.path)).mode & 0o777).toBe(0o444);
});

it("checks against SHA-512 where that is what is pinned", async () => {
  const cache = await options();
  await using server = await serveFile(body);
  const sha512 = createHash("sha512").update(body).digest("hex");

  const { digest } = await fetchArtifact({ name: "thing", url: server.url, sha512 }, cache);

  expect(digest).toBe(`sha512:${sha512}`);
});

it("goes on where the connection broke", async () => {
  const cache = await options();
  await using server = await serveFile(body, breakAfter(body, 200_000));

  const { path } = await fetchArtifact(pinned(server.url), cache);

  expect(await readFile(path)).toEqual(body);
  expect(server.requests).toHaveLength(2);
  expect(server.requests[1]?.headers.range).toMatch(/^bytes=[1-9]\d*-$/);
});

it("goes on in a later run with what an earlier one left", async () => {
  const cache = await options();
  const broken = await serveFile(body, (request, response) =>
    breakAfter(body, 200_000)(request, response, 1),
  );
  const { port } = new URL(broken.url);
  await expect(fetchArtifact(pinned(broken.url), { ...cache, attempts: 1 })).rejects.toMatchObject({
    code: "DOWNLOAD_FAILED",
  });
  await broken[Symbol.asyncDispose]();
  await using whole = await serveFile(body, undefined, Number(port));

  await fetchArtifact(pinned(whole.url), cache);

  expect(whole.requests.map(({ headers }) => headers.range)).toEqual([expect.stringMatching(/^bytes=[1-9]/)]);
});

it("starts again when the file was replaced on the server meanwhile", async () => {
  const cache = await options();
  const old = randomBytes(300_000);
  await using server = await serveFile(body, breakAfter(old, 200_000));

  const { path } = await fetchArtifact(pinned(server.url), cache);

  expect(await readFile(path)).toEqual(body);
});

it("does not trust bytes that an earlier run left: a wrong beginning costs one more download", async () => {
  const cache = await options();
  const wrong = Buffer.from(body).fill(0, 0, 1000);
  // The server says "unchanged" whatever it had sent before.
  await using server = await serveFile(body, (request, response, count) => {
    if (count > 1) return false;
    const etag = `"${sha256}"`;
    response.writeHead(200, { "content-length": body.length, etag });
    response.write(wrong.subarray(0, 200_000), () => request.socket.destroy());
    return true;
  });

  const { path } = await fetchArtifact(pinned(server.url), cache);

  expect(await readFile(path)).toEqual(body);
  expect(server.requests).toHaveLength(3);
});

it.each([500, 503, 429])("asks again after HTTP %i", async (status) => {
  const cache = await options();
  await using server = await serveFile(body, (_request, response, count) => {
    if (count > 2) return false;
    response.writeHead(status).end();
    return true;
  });

  await fetchArtifact(pinned(server.url), cache);

  expect(server.requests).toHaveLength(3);
});

it("waits as long as the server asks", async () => {
  const waits: number[] = [];
  const cache = { ...(await options()), pause: async (ms: number) => void waits.push(ms) };
  await using server = await serveFile(body, (_request, response, count) => {
    if (count > 1) return false;
    response.writeHead(503, { "retry-after": "7" }).end();
    return true;
  });

  await fetchArtifact(pinned(server.url), cache);

  expect(waits).toEqual([7000]);
});

it("does not ask again after HTTP 404, and says what it tried", async () => {
  const cache = await options();
  await using server = await serveFile(body, (_request, response) => {
    response.writeHead(404).end();
    return true;
  });

  await expect(fetchArtifact(pinned(server.url), cache)).rejects.toMatchObject({
    code: "DOWNLOAD_FAILED",
    message: expect.stringContaining(`${server.url}: HTTP 404 Not Found`) as string,
  });
  expect(server.requests).toHaveLength(1);
});

it("gives up a server that keeps failing, after as many attempts as it may have", async () => {
  const cache = { ...(await options()), attempts: 3 };
  await using server = await serveFile(body, (_request, response) => {
    response.writeHead(502).end();
    return true;
  });

  await expect(fetchArtifact(pinned(server.url), cache)).rejects.toMatchObject({ code: "DOWNLOAD_FAILED" });
  expect(server.requests).toHaveLength(3);
});

it("gives up a connection that brings nothing, and goes on with a new one", async () => {
  const cache = { ...(await options()), stallMs: 200 };
  await using server = await serveFile(body, (_request, response, count) => {
    if (count > 1) return false;
    response.writeHead(200, { "content-length": body.length, etag: `"${sha256}"` });
    response.write(body.subarray(0, 100_000));
    return true;
  });

  const { path } = await fetchArtifact(pinned(server.url), cache);

  expect(await readFile(path)).toEqual(body);
  expect(server.requests).toHaveLength(2);
});

it("takes a mirror first and the URL itself when the mirror has nothing", async () => {
  const cache = await options();
  await using mirror = await serveFile(body, (_request, response) => {
    response.writeHead(404).end();
    return true;
  });
  await using origin = await serveFile(body);
  const mirrors = [{ of: origin.url.replace("file", ""), use: [mirror.url.replace("file", "mirrored/")] }];

  await fetchArtifact(pinned(origin.url), { ...cache, mirrors });

  expect(mirror.requests[0]?.url).toBe("/mirrored/file");
  expect(origin.requests).toHaveLength(1);
});

it("asks the next place when a mirror serves other bytes", async () => {
  const { run, events } = recordedRun();
  const cache = await options(run);
  await using mirror = await serveFile(Buffer.from("<html>Log in first</html>"));
  await using origin = await serveFile(body);
  const mirrors = [{ of: origin.url, use: [mirror.url] }];

  const { path } = await fetchArtifact(pinned(origin.url), { ...cache, mirrors });

  expect(await readFile(path)).toEqual(body);
  expect(events).toContainEqual({
    kind: "note",
    level: "warning",
    text: expect.stringContaining(`from ${mirror.url}: its digest must be`) as string,
  });
});

it("logs in at a mirror, and writes its password down nowhere", async () => {
  const { run, events } = recordedRun();
  const cache = await options(run);
  await using mirror = await serveFile(body);
  const mirrors = [{ of: "https://vendor.example/file", use: [mirror.url.replace("//", "//joe:secret@")] }];

  const { path } = await fetchArtifact(pinned("https://vendor.example/file"), { ...cache, mirrors });

  expect(mirror.requests[0]?.headers.authorization).toBe(`Basic ${btoa("joe:secret")}`);
  expect(await readFile(`${path}.json`, "utf8")).toContain(mirror.url);
  expect(await readFile(`${path}.json`, "utf8")).not.toContain("secret");
  expect(JSON.stringify(events)).not.toContain("secret");
});

it("shows no password of a mirror that fails", async () => {
  const cache = await options();
  await using mirror = await serveFile(body, (_request, response) => {
    response.writeHead(403).end();
    return true;
  });
  const url = mirror.url.replace("//", "//joe:secret@");

  await expect(fetchArtifact(pinned(url), cache)).rejects.toMatchObject({
    code: "DOWNLOAD_FAILED",
    message: `Cannot download thing:\n${mirror.url}: HTTP 403 Forbidden`,
  });
});

it("does not put another part behind what is there", async () => {
  const cache = await options();
  await using server = await serveFile(body, (request, response, count) => {
    if (count === 1) return breakAfter(body, 200_000)(request, response, 1);
    if (count > 2) return false;
    const head = { "content-length": 10, "content-range": `bytes 5-14/${body.length}` };
    response.writeHead(206, head).end(body.subarray(5, 15));
    return true;
  });

  const { path } = await fetchArtifact(pinned(server.url), cache);

  expect(await readFile(path)).toEqual(body);
  expect(server.requests.map(({ headers }) => headers.range !== undefined)).toEqual([false, true, false]);
});

it("takes a file whose length the server does not say", async () => {
  const cache = await options();
  await using server = await serveFile(body, (_request, response) => {
    response.writeHead(200).end(body);
    return true;
  });

  const { bytes } = await fetchArtifact(pinned(server.url), cache);

  expect(bytes).toBe(body.length);
});

it("says whose folder it cannot write to, and what to set", async () => {
  const file = join(await scratchFolder(), "file");
  await writeFile(file, "in the way");
  const cache = { ...(await options()), cacheDir: file };

  await expect(fetchArtifact(pinned("http://127.0.0.1:1/file"), cache)).rejects.toMatchObject({
    code: "FOLDER_UNUSABLE",
    mend: expect.stringContaining("PROVISION_CACHE") as string,
  });
});

it("refuses other bytes than the pinned ones, names both digests and keeps nothing", async () => {
  const cache = await options();
  const other = randomBytes(1000);
  await using server = await serveFile(other);

  await expect(fetchArtifact(pinned(server.url), cache)).rejects.toMatchObject({
    code: "DIGEST_DIFFERS",
    facts: {
      wanted: `sha256 ${sha256}`,
      got: createHash("sha256").update(other).digest("hex"),
      url: server.url,
    },
  });
  expect(await readdir(join(cache.cacheDir, "artifacts"))).toEqual([]);
});

it("downloads once when two ask at the same time", async () => {
  const cache = await options();
  await using server = await serveFile(body);

  const both = await Promise.all([
    fetchArtifact(pinned(server.url), cache),
    fetchArtifact(pinned(server.url), cache),
  ]);

  expect(both.filter(({ cached }) => cached)).toHaveLength(1);
  expect(server.requests).toHaveLength(1);
});

it("stops at once when the run is stopped, and keeps what it has for the next", async () => {
  const stop = new AbortController();
  const { run } = recordedRun(stop.signal, ({ kind }) => {
    if (kind === "step-progress") stop.abort(new Error("stopped"));
  });
  const cache = await options(run);
  await using server = await serveFile(body, (_request, response) => {
    response.writeHead(200, { "content-length": body.length, etag: `"${sha256}"` });
    response.write(body.subarray(0, 100_000));
    return true;
  });

  await expect(fetchArtifact(pinned(server.url), cache)).rejects.toThrow("stopped");
  const left = await readdir(join(cache.cacheDir, "artifacts"));

  expect(left.toSorted()).toEqual([`sha256-${sha256}.partial`, `sha256-${sha256}.partial.json`]);
});

it("says how far it is", async () => {
  const { run, events } = recordedRun();
  const cache = await options(run);
  await using server = await serveFile(body);

  await fetchArtifact(pinned(server.url), cache);

  expect(events[0]).toMatchObject({ kind: "step-started", title: "Download thing" });
  expect(events).toContainEqual(
    expect.objectContaining({
      kind: "step-progress",
      text: expect.stringMatching(/ of 0\.3 MiB\b/) as string,
    }),
  );
});
