import { ProvisionError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import { DownloadRefused } from "./download-refused.ts";
import type { Mirrors } from "./manifest.ts";
import { placesOf } from "./mirrors.ts";
import { shownUrl } from "./place.ts";

/** What is pinned, for people, and where its makers have it. */
export interface Asked {
  readonly name: string;
  readonly url: string;
}

/**
 * Asks each place in turn and gives what the first one has. `ask` gives an error for what is there and not as it is
 * pinned, and throws `DownloadRefused` where nothing came; both are said, and the next place is asked.
 */
export async function askPlaces<Got>(
  { name, url: original }: Asked,
  { run, mirrors }: { readonly run: Run; readonly mirrors: Mirrors },
  ask: (place: string, url: string) => Promise<Got | ProvisionError>,
): Promise<Got> {
  const tried: { url: string; reason: string }[] = [];
  let differs: ProvisionError | undefined;
  for (const place of placesOf(original, mirrors)) {
    const url = shownUrl(place);
    try {
      const got = await ask(place, url);
      if (!(got instanceof ProvisionError)) return got;
      differs = got;
      run.note(got.message, "warning");
    } catch (error) {
      run.signal.throwIfAborted();
      if (!(error instanceof DownloadRefused)) throw error;
      tried.push({ url, reason: error.message });
      run.note(`${url}: ${error.message}`, "warning");
    }
  }
  // What is wrong is worse news than what is not there.
  throw differs ?? new ProvisionError("DOWNLOAD_FAILED", { name, tried });
}
