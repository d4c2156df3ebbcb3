import { readFileSync } from "node:fs";
import { connect } from "node:net";

import ssh2 from "ssh2";

// The floor's script by ssh2 from a bare Node: what remains when nothing of provision is there.
const [port = "", identity = ""] = process.argv.slice(2);
const script = readFileSync(0);
const client = new ssh2.Client();
client.on("ready", () => {
  client.exec("sh -s", (error, channel) => {
    if (error) throw error;
    channel.on("exit", (code: number) => (process.exitCode = code)).on("close", () => client.end());
    channel.pipe(process.stdout);
    channel.stderr.pipe(process.stderr);
    channel.end(script);
  });
});
client.connect({
  sock: connect({ host: "127.0.0.1", port: Number(port), noDelay: true }),
  username: "root",
  privateKey: readFileSync(identity),
  hostVerifier: () => true,
});
