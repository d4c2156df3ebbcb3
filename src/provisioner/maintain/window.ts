import { ProvisionError } from "../core/errors.ts";
import type { Host } from "../core/host.ts";
import type { Run } from "../core/run.ts";
import { callScript, lookAtRoot, scriptCall, tailOf } from "./call-script.ts";
import { windowWords } from "./root-state.ts";

/** How long the kernel may take to write down what it holds before root is read-only. */
const closingMs = 300_000;

/** Throws unless root is read-only by fstab and nobody has opened it. */
export async function mustBeClosed(host: Host, run: Run): Promise<void> {
  const state = await lookAtRoot(host, run);
  const about = { where: host.name };
  switch (state.kind) {
    case "closed":
      return;
    case "open":
      throw new ProvisionError("WINDOW_OPEN", { host: host.name, holder: windowWords(state) }, about);
    case "writable-by-fstab":
      throw new ProvisionError("ROOT_NOT_READ_ONLY", { host: host.name, found: state.found }, about);
    default:
      state satisfies never;
  }
}

/** Opens the window for so many seconds; its end is armed on the machine before root is writable. */
export async function openWindow(
  host: Host,
  options: { readonly seconds: number; readonly owner: string; readonly run: Run },
): Promise<void> {
  const { seconds, owner, run } = options;
  const { landings, state } = await callScript(host, run, scriptCall("open", String(seconds), owner));
  if (state.kind === "open") return;
  throw new ProvisionError(
    "WINDOW_NOT_OPENED",
    { host: host.name, tail: tailOf(landings) },
    { where: host.name },
  );
}

/** Closes it, and ends what still works in it; done only when the kernel says that root is read-only. */
export async function closeWindow(host: Host, run: Run): Promise<void> {
  const { landings, state } = await callScript(host, run, { ...scriptCall("close"), timeoutMs: closingMs });
  if (state.kind === "closed") return;
  throw new ProvisionError(
    "WINDOW_NOT_CLOSED",
    { host: host.name, tail: tailOf(landings) },
    { where: host.name },
  );
}

/** Closes the window that is open, whoever opened it; tells whether there was one. */
export async function closeIfOpen(host: Host, run: Run): Promise<boolean> {
  const { kind } = await lookAtRoot(host, run);
  if (kind !== "open") return false;
  await closeWindow(host, run);
  return true;
}
