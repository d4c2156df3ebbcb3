// Not imported from node:process: that reads every property of it, standard streams and all, which costs 5 ms.
const { process } = globalThis;

/** After the work is done nothing should hold the process; what does anyway is not waited for longer. */
const lingerMs = 3000;

/** Takes the secrets out of a text, once a run may know some. */
let clean = (text: string): string => text;

process.on("uncaughtException", (error) => {
  process.stderr.write(`error BUG  outside of any command\n${clean(error.stack ?? error.message)}\n`);
  process.exit(1);
});

const args = process.argv.slice(2);

async function main(): Promise<number> {
  // Asked in every shell that starts, on some machines: what has nothing to do loads next to nothing.
  if (args.includes("install")) {
    const { warmInstall } = await import("./cli/install/warm.ts");
    const { env, arch } = process;
    if (warmInstall({ args, env, arch, cwd: process.cwd() })) return 0;
  }
  const { shellOfProcess } = await import("./shell-of-process.ts");
  const shell = shellOfProcess((better) => {
    clean = better;
  });
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
