import { describe, expect, it } from "vitest";

import { ProvisionError } from "../../src/provisioner/core/errors.ts";
import { agentOf } from "../../src/provisioner/libvirt/agent.ts";
import type { Connection, Session } from "../../src/provisioner/libvirt/connection.ts";

const { signal } = new AbortController();
const guest = { uuid: "u", name: "g" };

/** A connection to a guest whose agent answers by `answer`; what it was asked is in `asked`. */
function connectionTo(answer: (command: { execute: string; arguments: object }) => unknown) {
  const asked: { execute: string; arguments: object }[] = [];
  const session = {
    take: (_release: string, handle: unknown) => handle,
    call: async () => 1n,
    async callWithin(_ms: number, _name: string, _domain: unknown, text: string) {
      const command = JSON.parse(text);
      asked.push(command);
      return JSON.stringify({ return: answer(command) });
    },
  };
  const connection = {
    uri: "fake:///",
    use: <T>(work: (on: Session) => Promise<T>) => work(session as unknown as Session),
  };
  return { asked, agent: agentOf(connection as unknown as Connection, guest) };
}

function unresponsive(code: number): never {
  throw new ProvisionError("LIBVIRT_FAILED", {
    uri: "",
    call: "",
    code,
    domain: 10,
    reason: "not connected",
  });
}

describe("exec", () => {
  it("hands over arguments as they are, waits for the end and gives what was printed", async () => {
    let polls = 0;
    const { agent, asked } = connectionTo(({ execute }) => {
      if (execute === "guest-exec") return { pid: 7 };
      const out = Buffer.from("ü\n").toString("base64");
      return polls++ < 1 ? { exited: false } : { exited: true, exitcode: 3, "out-data": out };
    });

    const output = await agent.exec(["/bin/echo", "a b", "$x;'\n"], { deadlineMs: 10_000, signal });

    expect(output).toEqual({ code: 3, stdout: "ü\n", stderr: "" });
    expect(asked[0]).toEqual({
      execute: "guest-exec",
      arguments: { path: "/bin/echo", arg: ["a b", "$x;'\n"], "capture-output": true },
    });
    expect(asked[1]).toEqual({ execute: "guest-exec-status", arguments: { pid: 7 } });
  });

  it.each([
    ["it runs past its deadline", { exited: false }, /still runs/],
    ["a signal ended it", { exited: true, signal: 9 }, /signal 9/],
  ])("fails when %s", async (_title, status, reason) => {
    const { agent } = connectionTo(({ execute }) => (execute === "guest-exec" ? { pid: 7 } : status));

    await expect(agent.exec(["/bin/x"], { deadlineMs: 1, signal })).rejects.toMatchObject({
      code: "AGENT_FAILED",
      facts: { guest: "g", command: "/bin/x", reason: expect.stringMatching(reason) },
    });
  });
});

it("says what the agent refused", async () => {
  const { agent } = connectionTo(() => unresponsive(1));

  await expect(agent.exec(["/nope"], { deadlineMs: 1, signal })).rejects.toMatchObject({
    code: "AGENT_FAILED",
    facts: { command: "guest-exec", reason: expect.stringContaining("not connected") },
  });
});

describe("ping", () => {
  it("is true when the agent answers", async () => {
    expect(await connectionTo(() => ({})).agent.ping()).toBe(true);
  });

  it.each([86, 55, 8])("is false when libvirt says %i: not connected, off, no agent", async (code) => {
    expect(await connectionTo(() => unresponsive(code)).agent.ping()).toBe(false);
  });

  it("fails when something else is wrong", async () => {
    await expect(connectionTo(() => unresponsive(1)).agent.ping()).rejects.toMatchObject({
      facts: { code: 1 },
    });
  });
});
