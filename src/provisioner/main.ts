import process from "node:process";

import { shellOfProcess } from "./shell-of-process.ts";

/** After the work is done nothing should hold the process; what does anyway is not waited for longer. */
const lingerMs = 3000;

process.on("uncaughtException", (error) => {
  process.stderr.write(`error BUG  outside of any command\n${error.stack ?? error.message}\n`);
  process.exit(1);
});

const shell = shellOfProcess();
const args = process.argv.slice(2);

async function main(): Promise<number> {
  try {
    const { runProgram } = await import("./cli/program.ts");
    return await runProgram(args, shell);
  } catch (error) {
    const { showFailure } = await import("./cli/render/show-failure.ts");
    return showFailure(error, shell, args);
  }
}

process.exitCode = await main();
setTimeout(() => process.exit(), lingerMs).unref();
