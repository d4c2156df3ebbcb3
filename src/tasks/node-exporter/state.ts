import { type Facts, type FileStat, Refusal, type UnitState } from "../../provisioner/core/task.ts";
import { lookAtSecretFile, type SecretFile } from "../scripts/secret-file.ts";
import { stampFile } from "../scripts/service.ts";
import { type Build, builds, STAMP, webFiles } from "./builds.ts";
import type { Params } from "./schema.ts";
import { lookCommand } from "./scripts.ts";
import { hasWeb, places, webText } from "./texts.ts";

/** A build with what was found of it. */
export interface FoundBuild {
  readonly build: Build;
  readonly unit: UnitState;
  readonly settings: string | undefined;
  readonly dropIn: string | undefined;
}

/** node_exporter as it was found. */
export interface State {
  readonly found: readonly FoundBuild[];
  /** The web configuration and what it names. */
  readonly web: readonly SecretFile[];
  readonly stamp: string | undefined;
  readonly textfiles: FileStat | undefined;
  /** False where there is no machine yet. */
  readonly isThere: boolean;
  /** All places that are wanted answer. */
  readonly answers: boolean;
}

/** All of it in one flight. */
export async function readState(facts: Facts, params: Params): Promise<State> {
  const asked = places(params);
  const [found, web, stamp, textfiles, look] = await Promise.all([
    Promise.all(builds.map((build) => readBuild(facts, build))),
    readWeb(facts, params),
    facts.file(stampFile(STAMP)),
    params.textfiles === undefined ? undefined : facts.stat(params.textfiles),
    facts.query(lookCommand(params.state === "absent" ? [] : asked)),
  ]);
  const answering = look.stdout.split("\n").filter((line) => line.startsWith("answers "));
  return {
    found,
    web,
    stamp,
    textfiles,
    isThere: look.code === 0,
    answers: answering.length === asked.length,
  };
}

/** The build whose unit is there. */
export function buildThere({ found, isThere }: State): FoundBuild {
  const [ours] = found;
  const there = found.find(({ unit }) => unit.load !== "not-found");
  if (there) return there;
  const names = builds.map(({ unit }) => unit).join(" or ");
  if (isThere || !ours) {
    throw new Refusal(
      `${names} must be there, is not; start from an image with the spec monitoring, or put \`apt: {name: metrics, present: [prometheus-node-exporter]}\` before this use`,
    );
  }
  return ours;
}

async function readBuild(facts: Facts, build: Build): Promise<FoundBuild> {
  const [unit, settings, dropIn] = await Promise.all([
    facts.unit(build.unit),
    facts.file(build.settings),
    build.dropIn === undefined ? undefined : facts.file(build.dropIn),
  ]);
  return { build, unit, settings, dropIn };
}

async function readWeb(facts: Facts, params: Params): Promise<readonly SecretFile[]> {
  const { tls, readers = [] } = params;
  const isWanted = params.state !== "absent";
  const file = (path: string, wanted: Promise<string> | undefined) =>
    lookAtSecretFile(facts, path, isWanted ? wanted : undefined);
  const hashes = isWanted
    ? Promise.all(
        readers.map(async ({ name, passwordHash }) => hashOf(name, await facts.secret(passwordHash))),
      )
    : Promise.resolve([]);
  return Promise.all([
    file(webFiles.certificate, tls && facts.secret(tls.certificate)),
    file(webFiles.key, tls && facts.secret(tls.key)),
    file(webFiles.config, hasWeb(params) ? hashes.then((all) => webText(params, all)) : undefined),
  ]);
}

/** node_exporter would not start on anything else. */
function hashOf(name: string, secret: string): string {
  const hash = secret.trim();
  if (/^\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}$/.test(hash)) return hash;
  throw new Refusal(
    `the passwordHash of "${name}" must be a bcrypt hash, is something else; make one by \`mkpasswd -m bcrypt\` (package whois)`,
  );
}
