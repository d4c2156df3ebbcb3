import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";

// A process of its own, so that serving costs nobody's: `node server.js FOLDER` prints its port and serves the folder.
const [folder = ""] = process.argv.slice(2);

async function answer(url: string): Promise<{ readonly size: number; readonly path: string } | undefined> {
  const path = join(folder, basename(url));
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() ? { size: found.size, path } : undefined;
}

const server = createServer(({ url = "" }, response) => {
  void answer(url).then((found) => {
    if (!found) return response.writeHead(404).end();
    response.writeHead(200, { "content-length": found.size });
    return createReadStream(found.path, { highWaterMark: 1024 * 1024 }).pipe(response);
  });
});
server.listen(0, "127.0.0.1", () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
// Ends with whoever started it.
process.stdin.on("end", () => process.exit()).resume();
