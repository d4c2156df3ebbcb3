import { join } from "node:path";

import { openApi } from "../bump/api.ts";
import { apiBase, apiToken } from "../bump/api-settings.ts";
import { type Applied, applyRenewals } from "../bump/apply-renewals.ts";
import { findPinsRepository, notReady } from "../bump/pins-repository.ts";
import { type Failed, renewTools } from "../bump/renew-tools.ts";
import { type RequestOptions, requestPull, type Requested } from "../bump/request-pull.ts";
import { readText, replaceText } from "../bump/write-pins.ts";
import { ProvisionError } from "../core/errors.ts";
import { baseSettings } from "../image/base-settings.ts";
import { fetchFor } from "../pins/http.ts";
import type { Manifest } from "../pins/manifest.ts";
import { readManifest } from "../pins/read-manifest.ts";
import { nearestName } from "../spec/nearest-name.ts";
import { bumpData, bumpTable } from "./bump-table.ts";
import type { Ending } from "./exit-code.ts";
import { findProject, shownPath } from "./project.ts";
import { count } from "./render/words.ts";
import type { Session } from "./session.ts";
import type { Shell } from "./shell.ts";

/** What the command line says of a bump. */
export interface BumpRequest {
  readonly tools: readonly string[];
  readonly check?: boolean;
  readonly pr?: boolean;
  readonly minAge?: number;
  readonly acceptRepublished?: boolean;
  readonly api?: string;
  readonly remote: string;
  readonly base?: string;
  readonly branch?: string;
}

/** Renews the pins of the project's versions.yaml, and says what became of each. */
export async function bumpPins(
  { run, result }: Session,
  shell: Shell,
  request: BumpRequest,
): Promise<Ending> {
  const { check = false, pr = false } = request;
  const path = findProject(shell).versionsFile;
  const shown = shownPath(path, shell.cwd);
  const text = await readText(path, shown);
  const tools = pickTools(readManifest(text, shown), request.tools);
  const workDir = join(baseSettings(shell).cacheDir, "work");
  const token = apiToken(shell.env);
  const fetch = fetchFor(shell.env);
  const api = openApi({ base: apiBase(request.api, shell.env), token, fetch, run });
  if (pr && !token)
    throw notReady(
      "there must be a token, is none that the API takes",
      "Set GITHUB_TOKEN to one that may write pull requests",
    );
  const repository = pr ? await findPinsRepository(path, request.remote, run) : undefined;

  const { minAge: minAgeDays, acceptRepublished = false } = request;
  const found = await run.within("Look for newer releases", (inner) =>
    renewTools(tools, { api, run: inner, fetch, workDir, now: Date.now, minAgeDays, acceptRepublished }),
  );
  const applied = applyRenewals(text, found, shown);
  for (const { tool, notes, state } of applied.renewals)
    if (state !== "held") for (const note of notes) run.note(`${tool}: ${note}`);

  const changed = applied.text !== text;
  const say = (last: string, requested?: Requested) => {
    const lines = [bumpTable(applied, Object.keys(tools), Date.now()), last];
    result(lines.join("\n"), {
      check,
      changed: changed && !check && !pr,
      ...bumpData(applied),
      pullRequest: requested ?? null,
    });
  };
  const { length: failures } = applied.failed;
  if (!changed) say(failures === 0 ? "nothing to renew" : `${count(failures, "tool")} failed`);
  else if (check) say(`${countOf(applied)} to renew in ${shown}`);
  else if (repository) {
    const options: RequestOptions = { ...request, api, repository, workDir, now: Date.now() };
    const requested = await run.within("Push the change", () => requestPull(applied, options));
    say(`pull request ${requested.state}: ${requested.url}`, requested);
  } else {
    await replaceText(path, { from: text, to: applied.text, shown, run });
    say(`${countOf(applied)} renewed in ${shown}`);
  }
  if (applied.failed.length > 0) throw failure(applied.failed);
  return check && changed ? "changes-wait" : "as-wanted";
}

function pickTools({ tools = {} }: Manifest, names: readonly string[]): NonNullable<Manifest["tools"]> {
  const known = Object.keys(tools);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const nearest = nearestName(unknown, known);
    throw new ProvisionError("USAGE", {
      what: `Cannot renew "${unknown}": it must be a tool of versions.yaml, is none`,
      mend: nearest === undefined ? `Name one of ${known.join(", ")}` : `Name "${nearest}"`,
    });
  }
  if (names.length === 0) return tools;
  return Object.fromEntries(Object.entries(tools).filter(([name]) => names.includes(name)));
}

function countOf({ renewals }: Applied): string {
  return count(renewals.filter(({ edits }) => edits.length > 0).length, "tool");
}

/** Many tools that fail for one reason, a rate limit, are one failure. */
function failure(failed: readonly Failed[]): ProvisionError {
  const [first] = failed;
  if (first && failed.every(({ error }) => error.message === first.error.message)) return first.error;
  const failures = failed.map(({ tool, error }) => `${tool}: ${error.message}; ${error.mend}`).join("\n");
  return new ProvisionError("BUMP_FAILED", { failures, count: failed.length });
}
