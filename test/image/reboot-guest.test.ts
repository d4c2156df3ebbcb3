import { expect, it } from "vitest";

import { HostLost, type Host } from "../../src/provisioner/core/host.ts";
import { rebootGuest } from "../../src/provisioner/image/reboot-guest.ts";
import { recordedRun } from "../support/recorded-run.ts";

const { run } = recordedRun();

/** A machine whose flights answer or are lost, and whose reconnects find a new boot or the old one, in turn. */
function machine(flights: readonly ("answers" | "lost")[], reconnects: readonly boolean[]) {
  const left = { flights: [...flights], reconnects: [...reconnects] };
  const host: Host = {
    name: "visitor@guest",
    async fly() {
      if (left.flights.shift() === "lost") throw new HostLost("the machine hung up");
      return { landings: [{ kind: "done" }], answers: [{ value: "id" }] };
    },
    reconnect: async () => ({ rebooted: left.reconnects.shift() ?? true }),
    [Symbol.asyncDispose]: async () => {},
  };
  return { host, left };
}

it.each([
  ["before it has answered", ["lost"], [true]],
  ["after it has answered", ["answers", "lost"], [true]],
  ["before it has answered, and lets us in once more on its way down", ["lost", "lost"], [false, true]],
] as const)("comes back to a machine that goes down %s", async (_, flights, reconnects) => {
  const { host, left } = machine(flights, reconnects);

  await rebootGuest(host, run);

  expect(left).toEqual({ flights: [], reconnects: [] });
});

it("lets through what is no loss of the connection", async () => {
  const { host } = machine([], []);
  host.fly = async () => Promise.reject(new Error("a bug"));

  await expect(rebootGuest(host, run)).rejects.toThrow("a bug");
});
