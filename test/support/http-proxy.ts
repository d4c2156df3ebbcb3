import { once } from "node:events";
import { createServer, request as ask } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";

/** A proxy on loopback that keeps what it was asked: `GET http://…` in full, `CONNECT host:port` for a tunnel. */
export interface HttpProxy extends AsyncDisposable {
  readonly url: string;
  readonly asked: string[];
  /** Proxy-Authorization of each. */
  readonly authorizations: (string | undefined)[];
}

/** Starts one. */
export async function startHttpProxy(): Promise<HttpProxy> {
  const asked: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const tunnels = new Set<Socket>();
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    authorizations.push(request.headers["proxy-authorization"]);
    const onward = ask(request.url ?? "", { method: request.method ?? "", headers: request.headers });
    onward.on("response", (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.writeHead(502).end());
    request.pipe(onward);
  });
  server.on("connect", (request, socket: Socket) => {
    asked.push(`CONNECT ${request.url}`);
    authorizations.push(request.headers["proxy-authorization"]);
    const [host = "", port = ""] = (request.url ?? "").split(":");
    const onward = connect(Number(port), host, () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      socket.pipe(onward).pipe(socket);
    });
    tunnels.add(socket).add(onward);
    onward.on("error", () => socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n"));
    socket.on("error", () => onward.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    authorizations,
    [Symbol.asyncDispose]: async () => {
      for (const tunnel of tunnels) tunnel.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
