import type { Host } from "../core/host.ts";
import { run as program } from "../core/task.ts";

/** Waits until no unit starts any more: it would be in every later test's way. */
export async function settle(host: Host): Promise<void> {
  const until = ["systemctl", "is-system-running", "--wait"] as const;
  await host.fly({ orders: [], facts: [{ kind: "query", about: { argv: until } }] });
}

/** A restored machine's clock stands where its memory was saved: packages would be of the future. */
export async function setClock(host: Host): Promise<void> {
  const action = program("date", "--utc", `--set=@${(Date.now() / 1000).toFixed(3)}`);
  await host.fly({ orders: [{ id: "set-clock", action }], facts: [] });
}

/** Ends a connection. What was done to its machine may have cut it: then there is nothing to end in order. */
export async function hangUp(host: Host | undefined): Promise<void> {
  try {
    await host?.[Symbol.asyncDispose]();
  } catch {
    // It is switched off or made as it was next.
  }
}
