import { ProvisionError } from "../core/errors.ts";

/** Lines of a bootstrap that say why it failed. */
export function isComplaint(line: string): boolean {
  // The last is of dkms, which a driver's package calls.
  return /^(E|Err):|^Error! /.test(line);
}

/** Says what the failure of mmdebstrap was about, from what it and apt complained of. */
export function explainBootstrap(base: string, complaints: readonly string[], error: unknown): unknown {
  if (!(error instanceof ProvisionError) || error.code !== "PROGRAM_FAILED") return error;
  const told = complaints.join("\n");
  const unknown =
    /(?:Unable to locate package|Package '?)\s*'?([a-z0-9][a-z0-9+.-]+)'?(?: has no installation candidate|$)/m.exec(
      told,
    );
  if (unknown?.[1])
    return new ProvisionError("BASE_PACKAGE_UNKNOWN", { base, name: unknown[1] }, { cause: error });
  const gone = /Version '(.+?)' for '(.+?)' was not found/.exec(told);
  if (gone)
    return new ProvisionError(
      "BASE_PACKAGE_UNKNOWN",
      { base, name: `${gone[2]}=${gone[1]}` },
      { cause: error },
    );
  const unreachable = complaints.find((line) =>
    /Could not (resolve|connect)|Failed to fetch|Temporary failure|Connection (failed|timed out|refused)|does not have a Release file|NO_PUBKEY|is not signed/.test(
      line,
    ),
  );
  if (unreachable)
    return new ProvisionError(
      "ARCHIVE_UNUSABLE",
      { base, reason: unreachable.replace(/^E(rr)?:\s*/, "") },
      { cause: error },
    );
  const reason = complaints.slice(-6).join("\n");
  return new ProvisionError("BOOTSTRAP_FAILED", { base, reason }, { cause: error });
}
