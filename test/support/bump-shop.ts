import type { ApiFetchOptions } from "../../src/provisioner/bump/api-fetch.ts";
import { openApi } from "../../src/provisioner/bump/api.ts";
import { renewTools, type Renewals } from "../../src/provisioner/bump/renew-tools.ts";
import type { BumpShop } from "../../src/provisioner/bump/renewal.ts";
import type { ToolEntry } from "../../src/provisioner/pins/tool-entry.ts";
import { quietRun } from "./quiet-run.ts";
import { type ReleaseServer, sha256 } from "./release-server.ts";
import { scratchFolder } from "./scratch-folder.ts";

/** What a test of renewing says otherwise than others. */
interface ShopChanges extends Partial<Pick<BumpShop, "minAgeDays" | "acceptRepublished" | "fetch">> {
  readonly api?: Partial<ApiFetchOptions>;
}

/** Renews one tool against a server; gives what became of it, what was said and how long it would have waited. */
export async function renewOne(
  server: ReleaseServer,
  entry: ToolEntry,
  changes: ShopChanges = {},
): Promise<Renewals & { readonly notes: readonly string[]; readonly waitedMs: readonly number[] }> {
  const { api: apiChanges, ...rest } = changes;
  const run = quietRun();
  const waitedMs: number[] = [];
  const pause = async (ms: number) => {
    waitedMs.push(ms);
    later += ms;
  };
  let later = 0;
  const now = () => Date.now() + later;
  const base = { base: server.api, token: undefined, fetch, run, now, pause };
  const shop: BumpShop = {
    api: openApi({ ...base, ...apiChanges }),
    run,
    fetch,
    workDir: await scratchFolder(),
    now: Date.now,
    minAgeDays: undefined,
    acceptRepublished: false,
    ...rest,
  };
  const renewals = await renewTools({ hello: entry }, shop);
  const notes = run.events.flatMap((event) => (event.kind === "note" ? [event.text] : []));
  return { ...renewals, notes, waitedMs };
}

/** A tool of example/hello for both architectures; its release's files hold their own names. */
export function helloEntry(version: string, changes: Partial<ToolEntry> = {}): ToolEntry {
  const digest = (arch: string) => sha256(`hello-${version}-${arch}.tar.gz`);
  return {
    version,
    repo: "example/hello",
    artifact: "hello-{version}-{arch}.tar.gz",
    sha256: { x86_64: digest("x86_64"), aarch64: digest("aarch64") },
    binary: "hello",
    ...changes,
  };
}

/** The files of a release of example/hello. */
export function helloAssets(version: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    ["x86_64", "aarch64"].map((arch) => [
      `hello-${version}-${arch}.tar.gz`,
      `hello-${version}-${arch}.tar.gz`,
    ]),
  );
}
