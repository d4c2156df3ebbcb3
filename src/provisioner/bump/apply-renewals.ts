import { ProvisionError } from "../core/errors.ts";
import { readManifest } from "../pins/read-manifest.ts";
import { editScalars } from "./edit-scalars.ts";
import type { Renewals } from "./renew-tools.ts";

/** Renewals, and the text of versions.yaml with them. */
export interface Applied extends Renewals {
  readonly text: string;
}

/** Writes renewals into the text of versions.yaml; a tool whose place in it cannot be edited fails alone. */
export function applyRenewals(text: string, { renewals, failed }: Renewals, file: string): Applied {
  const refused = renewals.flatMap(({ tool, pinned, edits }) => {
    try {
      readManifest(editScalars(text, edits, file), file);
      return [];
    } catch (error) {
      if (!(error instanceof ProvisionError)) throw error;
      return [{ tool, pinned, error }];
    }
  });
  const kept = renewals.filter(({ tool }) => !refused.some((each) => each.tool === tool));
  const edited = editScalars(
    text,
    kept.flatMap(({ edits }) => edits),
    file,
  );
  readManifest(edited, file);
  return { text: edited, renewals: kept, failed: [...failed, ...refused] };
}
