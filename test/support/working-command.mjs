// A command that works until it is stopped, run by the real process shell and session. Its argument is the
// folder of the compiled program; "stubborn" as a second one makes its clean-up never end.
const [, , folder, mode] = process.argv;
const { shellOfProcess } = await import(`${folder}/provisioner/shell-of-process.js`);
const { runSession } = await import(`${folder}/provisioner/cli/session.js`);

const shell = shellOfProcess(() => {});
process.exitCode = await runSession(
  { shell, flags: { color: true }, command: "work" },
  async ({ run, result }) => {
    await run.within("Build image", async (outer) => {
      await outer.within(
        "Make disk",
        async () => {},
        () => "3 GiB",
      );
      await outer.within("Install", async (inner) => {
        inner.report({ kind: "use-started", step: inner.step, use: "apt curl" });
        inner.progress("Unpacking curl", 0.4);
        const change = { what: "curl", from: undefined, to: "8.14", actions: [] };
        inner.report({
          kind: "use-ended",
          step: inner.step,
          use: "apt curl",
          outcome: "changed",
          changes: [change],
          ms: 5,
        });
        inner.note("ready to be stopped");
        if (mode === "quick") return;
        // Holds the process, as a connection would.
        const held = setInterval(() => {}, 1000);
        try {
          await new Promise((_, reject) => {
            inner.signal.addEventListener("abort", () => reject(inner.signal.reason));
          });
        } finally {
          if (mode === "stubborn") await new Promise(() => {});
          clearInterval(held);
        }
      });
    });
    result("image ready", { image: "x" });
    return "as-wanted";
  },
);
