import pLimit from "p-limit";

import { ProvisionError } from "../core/errors.ts";
import type { ToolEntry } from "../pins/tool-entry.ts";
import { renewTool } from "./renew-tool.ts";
import type { BumpShop, Renewal } from "./renewal.ts";

/** A tool whose pin could not be renewed, and stays. */
export interface Failed {
  readonly tool: string;
  readonly pinned: string;
  readonly error: ProvisionError;
}

/** What became of each tool, in the order of the file. */
export interface Renewals {
  readonly renewals: readonly Renewal[];
  readonly failed: readonly Failed[];
}

const atOnce = 6;

/** Renews tools beside each other; one that fails stops no other. */
export async function renewTools(
  tools: Readonly<Record<string, ToolEntry>>,
  shop: BumpShop,
): Promise<Renewals> {
  const limit = pLimit(atOnce);
  const entries = Object.entries(tools);
  let done = 0;
  const results = await Promise.all(
    entries.map(([tool, entry]) =>
      limit(async () => {
        shop.run.signal.throwIfAborted();
        const result = await renewTool(tool, entry, shop).catch((error: unknown): Failed => {
          shop.run.signal.throwIfAborted();
          if (!(error instanceof ProvisionError)) throw error;
          return { tool, pinned: entry.version, error };
        });
        done += 1;
        shop.run.progress(`${tool}: ${done} of ${entries.length}`, done / entries.length);
        return result;
      }),
    ),
  );
  return {
    renewals: results.filter((result): result is Renewal => !("error" in result)),
    failed: results.filter((result): result is Failed => "error" in result),
  };
}
