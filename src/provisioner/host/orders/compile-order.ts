import type { Errand, Order } from "../../core/host.ts";
import { quoteWord, whyUnsendable } from "../quote.ts";
import { fileOrder } from "./file-orders.ts";
import { longestInFrame, type Payload } from "./payload.ts";
import { describeAction, refusal } from "./refusal.ts";
import { jobOrder, runOrder } from "./run-order.ts";

/**
 * An order as shell text that ends in `land`. `delivered` is the path on the far side of its payload, where
 * that went as a file. Throws ACTION_REFUSED for what cannot arrive as it is.
 */
export function compileOrder(order: Order, delivered: string | undefined): string {
  const { action } = order;
  refuseUnsendable(action);
  if (order.expects && !/^[0-9a-f]{64}$/.test(order.expects)) {
    throw refusal(describeAction(action), "what it expects must be a SHA-256");
  }
  const text = textOf(action) ?? "";
  const source = delivered === undefined ? `printf %s ${quoteWord(text)}` : `cat ${quoteWord(delivered)}`;
  if (action.kind !== "run") return fileOrder(action, order.expects, source);
  return action.detached ? jobOrder(action, order.id, source) : runOrder(action, source);
}

/** What must lie on the far side as a file before the order can run; `undefined` when the frame holds it all. */
export function payloadOf(action: Errand): Payload | undefined {
  if (action.kind === "upload") {
    return { kind: "file", path: action.source.path, size: action.source.size };
  }
  const text = textOf(action);
  return text !== undefined && Buffer.byteLength(text) > longestInFrame ? { kind: "text", text } : undefined;
}

function textOf(action: Errand): string | undefined {
  if (action.kind === "write") return action.text;
  return action.kind === "run" ? action.command.stdin : undefined;
}

function refuseUnsendable(action: Errand): void {
  const texts = action.kind === "run" ? [...action.command.argv, action.command.stdin] : [textOf(action)];
  if (action.kind === "symlink") texts.push(action.target);
  for (const text of texts) {
    const why = text === undefined ? undefined : whyUnsendable(text);
    if (why) throw refusal(describeAction(action).slice(0, 200).replaceAll("\0", "␀"), `its text ${why}`);
  }
}
