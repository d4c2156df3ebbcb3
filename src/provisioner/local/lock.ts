import process from "node:process";
import { link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

import type { Run } from "../core/run.ts";
import { until } from "../core/until.ts";
import { isAlive, myself, type Owner } from "./owner.ts";

const HOUR = 3_600_000;

/** Holds a lock file; waits for whoever has it and takes it from a process that died. */
export async function holdLock(path: string, what: string, run: Run): Promise<AsyncDisposable> {
  await mkdir(dirname(path), { recursive: true });
  const mine = JSON.stringify(await myself());
  let said = false;
  await until(
    async () => {
      if (await take(path, mine)) return true;
      const holder = await readHolder(path);
      if (!holder) return undefined;
      if (!(await isAlive(holder))) {
        await rm(path, { force: true });
        return (await take(path, mine)) ? true : undefined;
      }
      if (!said) run.note(`Waiting for process ${holder.pid}, which has ${what}`);
      said = true;
      return undefined;
    },
    { deadlineMs: 12 * HOUR, pauseMs: 200, longestMs: 2000, signal: run.signal },
  );
  return { [Symbol.asyncDispose]: () => rm(path, { force: true }) };
}

/** Appears whole or not at all: the content is written beside and linked into place. */
async function take(path: string, content: string): Promise<boolean> {
  const beside = `${path}.${process.pid}.${performance.now()}`;
  await writeFile(beside, content, { mode: 0o644 });
  try {
    await link(beside, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    await rm(beside, { force: true });
  }
}

async function readHolder(path: string): Promise<Owner | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Owner;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
