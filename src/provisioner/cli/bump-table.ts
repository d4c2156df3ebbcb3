import { days, daysBetween } from "../bump/age.ts";
import type { Renewals } from "../bump/renew-tools.ts";
import type { Renewal } from "../bump/renewal.ts";
import { table } from "./table.ts";

/** What became of each tool, for people. */
export function bumpTable({ renewals, failed }: Renewals, order: readonly string[], now: number): string {
  const rows = [
    ...renewals.map((renewal) => rowOf(renewal, now)),
    ...failed.map(({ tool, pinned }) => [tool, pinned, "failed", "", "", ""]),
  ];
  const place = ([tool = ""]: readonly string[]) => order.indexOf(tool);
  const sorted = rows.toSorted((one, other) => place(one) - place(other));
  return table(["TOOL", "PINNED", "NEWEST", "AGE", "DIGEST", "LINK"], sorted);
}

function rowOf({ tool, pinned, state, version, publishedAt, files, link }: Renewal, now: number): string[] {
  const newest = { held: "held", current: version, newer: version, republished: `${version} again` }[state];
  const age = publishedAt === undefined ? "" : days(daysBetween(publishedAt, now));
  const origins = [...new Set(files.map(({ origin }) => origin))].join("; ");
  return [tool, pinned, newest, age, origins, link ?? ""];
}

/** The same for programs. */
export function bumpData({ renewals, failed }: Renewals): {
  readonly tools: readonly unknown[];
  readonly failed: readonly unknown[];
} {
  return {
    tools: renewals.map(({ tool, pinned, state, version, publishedAt, link, license, files, notes }) => ({
      tool,
      pinned,
      state,
      version,
      publishedAt: publishedAt === undefined ? null : new Date(publishedAt).toISOString(),
      link: link ?? null,
      license: license ?? null,
      files: files.map(({ name, architecture, url, sha256, found, origin, asset }) => ({
        name,
        architecture,
        url,
        from: sha256,
        to: found,
        origin,
        bytes: asset?.size ?? null,
        uploader: asset?.uploader ?? null,
      })),
      notes,
    })),
    failed: failed.map(({ tool, pinned, error: { code, message, mend } }) => ({
      tool,
      pinned,
      code,
      message,
      mend,
    })),
  };
}
