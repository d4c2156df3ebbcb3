import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** Answers one request; what is not answered by it gets the file. */
export type Misbehave = (request: IncomingMessage, response: ServerResponse, count: number) => boolean;

/** A loopback server of one file that knows ranges and ETags, and can be made to fail. */
export interface FileServer extends AsyncDisposable {
  readonly url: string;
  readonly requests: IncomingMessage[];
}

/** Serves `body` at any path, on a free port or the one given. */
export async function serveFile(
  body: Buffer,
  misbehave: Misbehave = () => false,
  onPort = 0,
): Promise<FileServer> {
  const requests: IncomingMessage[] = [];
  const etag = `"${createHash("sha256").update(body).digest("hex")}"`;
  const server = createServer((request, response) => {
    requests.push(request);
    if (misbehave(request, response, requests.length)) return;
    const from = /^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1];
    const fresh = request.headers["if-range"] === etag;
    response.setHeader("etag", etag);
    if (from === undefined || !fresh) {
      response.writeHead(200, { "content-length": body.length }).end(body);
      return;
    }
    const start = Number(from);
    if (start >= body.length) {
      response.writeHead(416, { "content-range": `bytes */${body.length}` }).end();
      return;
    }
    const rest = body.subarray(start);
    response
      .writeHead(206, {
        "content-length": rest.length,
        "content-range": `bytes ${start}-${body.length - 1}/${body.length}`,
      })
      .end(rest);
  });
  await new Promise<void>((resolve) => server.listen(onPort, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/file`,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Sends the head and the first bytes, then drops the connection. */
export function breakAfter(body: Buffer, bytes: number): Misbehave {
  return (request, response, count) => {
    if (count > 1) return false;
    const etag = `"${createHash("sha256").update(body).digest("hex")}"`;
    response.writeHead(200, { "content-length": body.length, etag });
    response.write(body.subarray(0, bytes), () => request.socket.destroy());
    return true;
  };
}
