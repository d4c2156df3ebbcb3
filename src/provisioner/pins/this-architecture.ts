import { arch } from "node:os";

import { ProvisionError } from "../core/errors.ts";
import { type Architecture, architectures } from "../core/tool-pin.ts";

/** Node's words for the machines that tools are pinned for. */
const words: Readonly<Record<string, Architecture>> = { x64: "x86_64", arm64: "aarch64" };

/** This machine's, in the words of `uname -m`. */
export function thisArchitecture(): Architecture {
  const found = words[arch()];
  if (found !== undefined) return found;
  throw new ProvisionError("ARCHITECTURE_UNKNOWN", { got: arch(), known: architectures });
}
