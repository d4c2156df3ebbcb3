import { resolve } from "node:path";

import { ProvisionError } from "../../core/errors.ts";
import { architectures, type Architecture } from "../../core/tool-pin.ts";
import type { FileOutcome } from "../../pins/fetch-files.ts";
import type { SourceFlags } from "../cache-options.ts";
import { defineCommand, helpEnd } from "../command.ts";
import { count } from "../render/words.ts";
import { runSession } from "../session.ts";
import { table } from "../table.ts";

interface Flags extends SourceFlags {
  readonly out?: string;
  readonly arch?: string;
  readonly bases?: boolean;
  readonly check?: boolean;
}

const examples = [
  "provision fetch",
  "provision fetch --out /media/stick --arch all --bases",
  "provision fetch ripgrep fd --out tools",
  "provision install --offline --from /media/stick",
];

/** Downloads pinned files. */
export const fetch = defineCommand<Flags>({
  declare(command) {
    command
      .argument(
        "[tools...]",
        "tools of versions.yaml, and bases that are cloud images; every tool when left out",
      )
      .description(
        "Downloads the files that versions.yaml pins, checks their digests and keeps them in the cache. With --out " +
          "they are put into a folder too, for machines without a network: each in a directory named by its digest, " +
          "listed in SHA256SUMS (`sha256sum -c` checks it). What is there is not fetched again, and nothing is removed.",
      )
      .option("--out <dir>", "put the files into this folder")
      .option("--arch <name>", "x86_64, aarch64 or all; this machine's when left out")
      .option("--bases", "fetch every base that is a cloud image, too")
      .option("--from <dir>", "look for the files in this folder before asking any server")
      .option("--offline", "ask no server: the cache and --from must have it")
      .option("--check", "say what would be fetched, and fetch nothing")
      .addHelpText("after", helpEnd(examples, [0, 2, 3, 5, 130]));
  },
  act({ shell, flags, operands }) {
    const { check = false, bases = false } = flags;
    const command = ["fetch", ...operands, ...(check ? ["--check"] : [])].join(" ");
    return runSession({ shell, flags, command }, async ({ run, result }) => {
      const [{ loadManifest }, { cacheOptions }, { fetchFiles, lookForFiles }, { wantedFiles }] =
        await Promise.all([
          import("../compose.ts"),
          import("../cache-options.ts"),
          import("../../pins/fetch-files.ts"),
          import("../../pins/wanted-files.ts"),
        ]);
      const manifest = await loadManifest(shell);
      const chosen = await architecturesOf(flags.arch);
      const { files, skipped } = wantedFiles(manifest, { names: operands, architectures: chosen, bases });
      for (const name of skipped) run.note(`${name} is not pinned for ${chosen.join(" or ")}: left out`);
      const cache = cacheOptions(shell, flags, manifest);
      const out = flags.out === undefined ? undefined : resolve(shell.cwd, flags.out);
      const order = { files, cache, out, run };
      const outcomes = await (check ? lookForFiles(order) : fetchFiles(order));
      result(inWords(outcomes, out), { out, cache: cache.cacheDir, files: outcomes.map(asData) });
      throwFailures(outcomes);
      return outcomes.some(({ outcome }) => outcome === "would-fetch") ? "changes-wait" : "as-wanted";
    });
  },
});

async function architecturesOf(text: string | undefined): Promise<readonly Architecture[]> {
  if (text === "all") return architectures;
  if (text === undefined) {
    const { thisArchitecture } = await import("../../pins/this-architecture.ts");
    return [thisArchitecture()];
  }
  const found = architectures.find((each) => each === text);
  if (found) return [found];
  throw new ProvisionError("USAGE", {
    what: `Cannot accept --arch: must be ${architectures.join(", ")} or all, is "${text}"`,
    mend: "Name it in the words of `uname -m`",
  });
}

const outcomeWords = {
  there: "there",
  fetched: "fetched",
  copied: "copied",
  failed: "failed",
  "would-fetch": "to fetch",
} as const satisfies Record<FileOutcome["outcome"], string>;

function inWords(outcomes: readonly FileOutcome[], out: string | undefined): string {
  if (outcomes.length === 0) return "versions.yaml pins no file of what was named";
  const rows = outcomes.map(({ of, version, architectures: which, file, bytes, outcome }) => [
    of,
    version,
    which.join(","),
    file,
    bytes === undefined ? "" : `${mib(bytes)} MiB`,
    outcomeWords[outcome],
  ]);
  const kinds = Object.entries(outcomeWords).flatMap(([outcome, words]) => {
    const number = outcomes.filter((each) => each.outcome === outcome).length;
    return number === 0 ? [] : [`${number} ${words}`];
  });
  const whole = outcomes.reduce((sum, { bytes = 0 }) => sum + bytes, 0);
  const size = whole === 0 ? "" : `, ${mib(whole)} MiB`;
  return [
    table(["OF", "VERSION", "ARCHITECTURE", "FILE", "SIZE", "STATE"], rows),
    `${count(outcomes.length, "file")}${size} in ${out ?? "the cache"}: ${kinds.join(", ")}`,
  ].join("\n");
}

function mib(bytes: number): string {
  return (bytes / 1024 ** 2).toFixed(1);
}

function asData({ artifact: { url, sha256, sha512 }, error, ...rest }: FileOutcome): object {
  return {
    ...rest,
    url,
    ...(sha512 === undefined ? { sha256 } : { sha512 }),
    ...(error && { error: { code: error.code, message: error.message, mend: error.mend } }),
  };
}

/** One failure is told as it is, several as one that names all. */
function throwFailures(outcomes: readonly FileOutcome[]): void {
  const failed = outcomes.flatMap(({ error }) => error ?? []);
  const [first, ...others] = failed;
  if (first === undefined) return;
  if (others.length === 0) throw first;
  throw new ProvisionError("FETCH_FAILED", {
    failed: failed.map(({ message, mend }) => ({ reason: message, mend })),
  });
}
