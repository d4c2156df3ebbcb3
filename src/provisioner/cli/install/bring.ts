import { ProvisionError } from "../../core/errors.ts";
import type { Run } from "../../core/run.ts";
import { installTools } from "../../tools/install-tools.ts";
import { installedNames } from "../../tools/installed-tool.ts";
import { leftovers } from "../../tools/prefix.ts";
import { isWarm, writeWarmState } from "../../tools/warm-state.ts";
import { workInPrefix } from "../../tools/work-in-prefix.ts";
import { cacheOptions } from "../cache-options.ts";
import { runSession, type SessionOptions } from "../session.ts";
import type { Shell } from "../shell.ts";
import { table } from "../table.ts";
import type { InstallFlags } from "./flags.ts";
import { hintPath, settlePath } from "./path.ts";
import { pickTools } from "./pick.ts";
import { type InstallPlan, makePlan, type PlannedTool } from "./plan.ts";
import { noteReplaced, outcomeData, outcomeText, throwFailures } from "./report.ts";
import { installedVersion } from "./state-words.ts";
import { asWantedData, asWantedText, commandWords } from "./words.ts";

/** Brings tools to what is pinned; with --check only says what would be done. */
export async function bringTools(
  shell: Shell,
  flags: InstallFlags,
  names: readonly string[],
): Promise<number> {
  const session = { shell, flags, command: commandWords(names) };
  let plan: InstallPlan;
  let wanted: readonly PlannedTool[];
  try {
    plan = await makePlan(shell, flags, names);
    wanted = await whichOnes(shell, flags, { plan, names });
  } catch (error) {
    return runSession({ ...session, quiet: true }, async () => {
      throw error;
    });
  }
  const waiting = wanted.filter(({ state }) => flags.force === true || state.kind !== "as-wanted");
  if (flags.check === true) return sayWaiting(session, plan, waiting);
  if (waiting.length === 0) return endIdle(session, flags, { plan, wanted });
  return install(session, flags, { plan, wanted });
}

interface Work {
  readonly plan: InstallPlan;
  readonly wanted: readonly PlannedTool[];
}

/** Asks a person when nothing was named and something is to do. */
async function whichOnes(
  shell: Shell,
  flags: InstallFlags,
  { plan, names }: { readonly plan: InstallPlan; readonly names: readonly string[] },
): Promise<readonly PlannedTool[]> {
  const isAutomatic = flags.yes === true || flags.check === true || shell.env["AUTOMATIC"] === "1";
  const nothing = flags.force !== true && plan.tools.every(({ state }) => state.kind === "as-wanted");
  if (names.length > 0 || isAutomatic || nothing) return plan.tools;
  const picked = await pickTools(shell, plan.tools);
  return plan.tools.filter(({ pin }) => picked.includes(pin.name));
}

function install(session: SessionOptions, flags: InstallFlags, { plan, wanted }: Work): Promise<number> {
  const { shell } = session;
  const { prefix, skipped } = plan;
  return runSession(session, async ({ run, result }) => {
    const outcomes = await workInPrefix(prefix, run, async () => {
      const done = await installTools({
        prefix,
        pins: wanted.map(({ pin }) => pin),
        force: flags.force ?? false,
        cache: cacheOptions(shell, flags, plan.manifest),
        run,
      });
      writeWarmState(prefix, plan.warm);
      return done;
    });
    noteReplaced(run, outcomes);
    if (flags.writePath === undefined) hintPath(shell, run, prefix);
    else settlePath(shell, flags, run, prefix);
    result(outcomeText(prefix.root, outcomes, skipped), outcomeData(prefix.root, outcomes, skipped));
    throwFailures(outcomes);
    return "as-wanted";
  });
}

/** Nothing is to do; what a killed run left goes, and the next run shall see it sooner. */
function endIdle(session: SessionOptions, flags: InstallFlags, { plan, wanted }: Work): Promise<number> {
  return runSession({ ...session, quiet: true }, async ({ run, result }) => {
    await tidy(plan, run);
    if (flags.writePath !== undefined) settlePath(session.shell, flags, run, plan.prefix);
    const tools = wanted.map(({ pin: { name, version } }) => ({ name, version }));
    const found = { prefix: plan.prefix.root, tools, skipped: plan.skipped };
    result(asWantedText(found), asWantedData(found));
    return "as-wanted";
  });
}

async function tidy({ prefix, warm }: InstallPlan, run: Run): Promise<void> {
  if (installedNames(prefix).length === 0 && leftovers(prefix).length === 0) return;
  if (leftovers(prefix).length === 0 && isWarm(prefix, warm)) return;
  try {
    await workInPrefix(prefix, run, async () => writeWarmState(prefix, warm));
  } catch (error) {
    // Somebody who may only use the tools: it stays as it is.
    if (!(error instanceof ProvisionError) || error.code !== "PREFIX_UNWRITABLE") throw error;
  }
}

function sayWaiting(
  session: SessionOptions,
  { prefix, tools, skipped }: InstallPlan,
  waiting: readonly PlannedTool[],
): Promise<number> {
  return runSession(
    { ...session, command: `${session.command} --check`, quiet: true },
    async ({ result }) => {
      if (waiting.length === 0) {
        const found = { prefix: prefix.root, tools: tools.map(({ pin }) => pin), skipped };
        result(asWantedText(found), asWantedData(found));
        return "as-wanted";
      }
      const data = waiting.map(({ pin: { name, version }, state }) => ({
        name,
        version,
        from: installedVersion(state, version),
        state: state.kind,
      }));
      const rows = data.map(({ name, version, from = "none", state }) => [
        name,
        state === "damaged" ? `${from} (damaged)` : from,
        version,
      ]);
      result(table(["TOOL", "INSTALLED", "WANTED"], rows), { prefix: prefix.root, waiting: data, skipped });
      return "changes-wait";
    },
  );
}
