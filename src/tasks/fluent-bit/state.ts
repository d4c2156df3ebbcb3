import { type Facts, Refusal, type UnitState } from "../../provisioner/core/task.ts";
import { lookAtSecretFile, type SecretFile } from "../scripts/secret-file.ts";
import { stampFile } from "../scripts/service.ts";
import { files, programs, STAMP, UNIT } from "./files.ts";
import type { Params } from "./schema.ts";
import { lookCommand } from "./scripts.ts";
import { secretsText, settingsText } from "./texts.ts";

/** fluent-bit as it was found, and the texts that are wanted. */
export interface State {
  readonly unit: UnitState;
  /** Where it is; `undefined` where it is not. */
  readonly program: string | undefined;
  /** False where there is no machine yet. */
  readonly isThere: boolean;
  readonly settings: { readonly found: string | undefined; readonly wanted: string };
  readonly dropIn: string | undefined;
  readonly secrets: SecretFile;
  readonly stamp: string | undefined;
  /** Of `restartOn`, in its order. */
  readonly digests: readonly (string | undefined)[];
}

/** All of it in one flight. */
export async function readState(facts: Facts, params: Params): Promise<State> {
  const { template, variables = {}, restartOn = [], state } = params;
  if (template !== undefined && params.outputs !== undefined) {
    throw new Refusal("must have outputs or a template, has both; drop one of them");
  }
  const isWanted = state !== "absent";
  const [unit, look, settings, wanted, dropIn, secrets, stamp, digests] = await Promise.all([
    facts.unit(UNIT),
    facts.query(lookCommand),
    facts.file(files.settings),
    template === undefined ? undefined : facts.template(template, variables),
    facts.file(files.dropIn),
    lookAtSecretFile(facts, files.secrets, isWanted ? readSecrets(facts, params) : undefined),
    facts.file(stampFile(STAMP)),
    Promise.all(restartOn.map((path) => facts.digest(path))),
  ]);
  return {
    unit,
    program: look.stdout.trim() || undefined,
    isThere: look.code === 0,
    settings: { found: settings, wanted: wanted ?? (isWanted ? settingsText(params) : "") },
    dropIn,
    secrets,
    stamp,
    digests,
  };
}

/** Where the program is, or will be. */
export function programThere({ unit, program, isThere }: State): string {
  const [usual = ""] = programs;
  if (!isThere) return program ?? usual;
  if (program !== undefined && unit.load !== "not-found") return program;
  const what =
    program === undefined ? `fluent-bit must be at ${programs.join(" or ")}` : `${UNIT} must be there`;
  throw new Refusal(
    `${what}, is not; start from an image with the spec monitoring, or put its uses \`apt-repository: {name: fluent-bit, pinned: fluent-bit}\` and \`apt: {name: logs, present: [fluent-bit]}\` before this one`,
  );
}

/** The file that holds them, when there are any. */
async function readSecrets(facts: Facts, { secrets = {} }: Params): Promise<string | undefined> {
  const entries = Object.entries(secrets).map(async ([name, source]) => {
    const text = await facts.secret(source);
    const line = text.replace(/\r?\n$/, "");
    if (/[\r\n]/.test(line)) {
      throw new Refusal(
        `the secret ${name} must be one line, has more; put it into a file of its own by the task \`file\`, and name that file`,
      );
    }
    return [name, line] as const;
  });
  return secretsText(Object.fromEntries(await Promise.all(entries)));
}
