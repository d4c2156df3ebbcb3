import { generateKeyPairSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A key pair of WireGuard: Curve25519, in base64. */
export interface WireguardKeys {
  readonly publicKey: string;
  /** A file of our own with the private half. */
  readonly privateFile: string;
}

/** Makes one, in a folder. */
export async function wireguardKeys(folder: string, name: string): Promise<WireguardKeys> {
  const pair = generateKeyPairSync("x25519");
  const { x = "" } = pair.publicKey.export({ format: "jwk" });
  const { d = "" } = pair.privateKey.export({ format: "jwk" });
  const base64 = (text: string) => Buffer.from(text, "base64url").toString("base64");
  const privateFile = join(folder, `${name}.key`);
  await writeFile(privateFile, `${base64(d)}\n`, { mode: 0o600 });
  return { publicKey: base64(x), privateFile };
}
