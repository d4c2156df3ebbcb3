import { ProvisionError } from "../core/errors.ts";
import type { Redactor } from "../core/redactor.ts";
import { secretName, type SecretSource } from "../core/secret.ts";
import type { Sources } from "../core/sources.ts";
import { findSources, sourceFormat } from "../spec/formats.ts";
import type { Shell } from "./shell.ts";

/**
 * The secrets that a spec can name, each read once, when the first use asks for it. Before anybody gets one, the run
 * knows that it must not be shown.
 */
export function openSecrets(
  shell: Shell,
  sourceDirs: readonly string[],
  redactor: Redactor,
): Pick<Sources, "secret"> {
  const known = new Map<string, Promise<string>>();

  async function read(source: SecretSource): Promise<string> {
    const { readSecret } = await import("../local/read-secret.ts");
    const text = await readSecret(source, { ...shell, beside: (path) => beside(path, sourceDirs) });
    redactor.add(text);
    return text;
  }

  return {
    secret(source) {
      const name = JSON.stringify(source);
      const found = known.get(name) ?? read(source);
      known.set(name, found);
      return found;
    },
  };
}

/** For what is nobody's: every use of a secret was refused when the spec was loaded. */
export const noSecrets: Pick<Sources, "secret"> = {
  secret: async (source) => {
    throw new Error(`Nothing here may hold a secret, but a use asks for ${secretName(source)}`);
  },
};

function beside(file: string, sourceDirs: readonly string[]): string {
  const says = sourceFormat(sourceDirs)(file);
  const [found] = findSources(sourceDirs, file);
  if (says === undefined && found !== undefined) return found;
  throw new ProvisionError("SECRET_UNAVAILABLE", {
    secret: secretName({ file }),
    reason: says ?? "it is gone",
    mend: "Put it there, readable for you alone (0600), or name its place from / or ~/",
  });
}
