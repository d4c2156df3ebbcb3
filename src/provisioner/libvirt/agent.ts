import { ProvisionError } from "../core/errors.ts";
import type { Output } from "../core/task.ts";
import { pause, until } from "../core/until.ts";
import type { Connection } from "./connection.ts";
import { withDomain } from "./domains.ts";
import { isVirtError, virtCodes } from "./virt-error.ts";

/** qemu-guest-agent in a guest: it answers when the guest's network does not. */
export interface Agent {
  /** Whether the agent answers. */
  ping(): Promise<boolean>;
  /** Runs a program in the guest as root and gives what it printed. */
  exec(argv: readonly [string, ...string[]], options: AgentExec): Promise<Output>;
  /** Sets the guest's clock to ours: it is behind after a restore. */
  setClock(): Promise<void>;
}

/** How long a program in the guest may take. */
export interface AgentExec {
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

/** Seconds the agent may take for one answer. */
const answerSeconds = 20;

export function agentOf(
  connection: Connection,
  guest: { readonly uuid: string; readonly name: string },
): Agent {
  /** As `answer`, with the agent's own refusals as AGENT_FAILED. */
  async function ask(command: string, facts: Record<string, unknown>): Promise<Record<string, unknown>> {
    return refusing(command, () => answer(command, facts));
  }

  async function refusing<T>(command: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      // libvirt calls everything that an agent says an internal error.
      const refused =
        isVirtError(error, virtCodes.internal) || isVirtError(error, virtCodes.agentUnresponsive);
      throw refused && error instanceof Error ? failed(command, error.message, error) : error;
    }
  }

  async function answer(command: string, facts: Record<string, unknown>): Promise<Record<string, unknown>> {
    const text = JSON.stringify({ execute: command, arguments: facts });
    const reply = await withDomain(connection, guest.uuid, (on, domain) =>
      on.callWithin((answerSeconds + 10) * 1000, "virDomainQemuAgentCommand", domain, text, answerSeconds, 0),
    );
    if (reply === undefined) throw failed(command, "there is no such domain");
    const parsed: unknown = JSON.parse(reply);
    const value =
      typeof parsed === "object" && parsed !== null && "return" in parsed ? parsed.return : undefined;
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  }

  function failed(command: string, reason: string, cause?: Error): ProvisionError {
    return new ProvisionError("AGENT_FAILED", { guest: guest.name, command, reason }, { cause });
  }

  return {
    async ping() {
      try {
        await answer("guest-ping", {});
        return true;
      } catch (error) {
        // Not connected (86), or the guest is off (55): no answer, and no fault.
        const silent = [virtCodes.agentUnresponsive, virtCodes.operationInvalid, virtCodes.invalidArgument];
        if (silent.some((code) => isVirtError(error, code))) return false;
        throw error;
      }
    },
    async exec([path, ...arg], { deadlineMs, signal }) {
      const { pid } = await ask("guest-exec", { path, arg, "capture-output": true });
      const status = await until(
        async () => {
          const now = await ask("guest-exec-status", { pid });
          return now["exited"] === true ? now : undefined;
        },
        { deadlineMs, pauseMs: 100, longestMs: 2000, signal, sleep: pause },
      );
      if (status === undefined) throw failed(path, `it still runs after ${Math.round(deadlineMs / 1000)} s`);
      if (typeof status["signal"] === "number") throw failed(path, `signal ${status["signal"]} ended it`);
      return {
        code: Number(status["exitcode"]),
        stdout: decode(status["out-data"]),
        stderr: decode(status["err-data"]),
      };
    },
    async setClock() {
      const now = Date.now();
      await refusing("guest-set-time", () =>
        withDomain(connection, guest.uuid, (on, domain) =>
          on.call("virDomainSetTime", domain, BigInt(Math.floor(now / 1000)), (now % 1000) * 1_000_000, 0),
        ),
      );
    },
  };
}

function decode(data: unknown): string {
  return typeof data === "string" ? Buffer.from(data, "base64").toString("utf8") : "";
}
