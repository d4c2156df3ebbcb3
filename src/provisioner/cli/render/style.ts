import picocolors from "picocolors";

/** Colours for a stream, or none. */
export type Style = ReturnType<typeof picocolors.createColors>;

/** Colours by what the user asked for: `--no-color`, NO_COLOR (no-color.org), FORCE_COLOR, else a terminal. */
export function chooseStyle(
  stream: { readonly isTTY: boolean },
  env: Readonly<Record<string, string | undefined>>,
  color: boolean,
): Style {
  const forced = (env["FORCE_COLOR"] ?? "0") !== "0";
  const wanted = color && !env["NO_COLOR"] && (forced || (stream.isTTY && env["TERM"] !== "dumb"));
  return picocolors.createColors(wanted);
}
