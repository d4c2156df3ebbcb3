import { spawn } from "node:child_process";
import { chmodSync, copyFileSync } from "node:fs";
import process from "node:process";

import type { FactAnswer, FactRequest } from "../../src/provisioner/core/facts.ts";
import type { Flight, FlightResult, Host, Landing, Order } from "../../src/provisioner/core/host.ts";
import type { Command, Output } from "../../src/provisioner/core/task.ts";

/** This machine, for scripts that keep to a prefix: it runs programs and takes uploads, and that is all. */
export class HereHost implements Host {
  readonly name = "here";
  /** What programs printed, all together. */
  output = "";
  /** Programs that were run as orders, by the words after their script. */
  readonly ran: string[] = [];
  /** Uploads that were sent. */
  uploads = 0;
  flights = 0;
  readonly #shell: readonly [string, ...string[]];
  readonly #env: Readonly<Record<string, string>>;

  constructor(
    shell: readonly [string, ...string[]] = ["sh"],
    env: Readonly<Record<string, string>> = { PATH: process.env["PATH"] ?? "" },
  ) {
    this.#shell = shell;
    this.#env = env;
  }

  async fly({ orders, facts }: Flight): Promise<FlightResult> {
    this.flights += 1;
    const landings: Landing[] = [];
    for (const order of orders) {
      const isOver = landings.some(({ kind }) => kind !== "done");
      landings.push(isOver ? { kind: "skipped" } : await this.#carryOut(order));
    }
    const answers: FactAnswer[] = [];
    for (const fact of facts) answers.push(await this.#answer(fact));
    return { landings, answers };
  }

  async reconnect(): Promise<{ readonly rebooted: boolean }> {
    throw new Error("This machine is never lost");
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #carryOut({ action }: Order): Promise<Landing> {
    if (action.kind === "upload") {
      this.uploads += 1;
      copyFileSync(action.source.path, action.path);
      chmodSync(action.path, Number.parseInt(action.mode ?? "0644", 8));
      return { kind: "done" };
    }
    if (action.kind !== "run") throw new Error(`Nobody taught this host to ${action.kind}`);
    this.ran.push(action.command.argv.slice(4).join(" "));
    const { code, stdout, stderr } = await this.run(action.command);
    return code === 0 ? { kind: "done" } : { kind: "failed", code, tail: stdout + stderr };
  }

  async #answer(fact: FactRequest): Promise<FactAnswer> {
    if (fact.kind !== "query") throw new Error(`Nobody taught this host to tell ${fact.kind}`);
    return { value: await this.run(fact.about) };
  }

  /** A program that a signal ended has code 128. */
  run({ argv, stdin = "" }: Command): Promise<Output> {
    const [program, ...args] = argv[0] === "sh" ? [...this.#shell, ...argv.slice(1)] : argv;
    return new Promise((resolve, reject) => {
      // A group of its own, so that the whole of it can be killed.
      const child = spawn(program ?? "", args, { env: this.#env, detached: true });
      let [stdout, stderr] = ["", ""];
      child.stdout.on("data", (data: Buffer) => (stdout += data.toString()));
      child.stderr.on("data", (data: Buffer) => (stderr += data.toString()));
      // A program that has ended reads no more.
      child.stdin.on("error", () => {});
      child.stdin.end(stdin);
      child.on("error", reject);
      child.on("close", (code) => {
        this.output += stdout + stderr;
        resolve({ code: code ?? 128, stdout, stderr });
      });
    });
  }
}
