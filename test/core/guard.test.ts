import { Type } from "typebox";
import { describe, expect, it } from "vitest";

import { ProvisionError } from "../../src/provisioner/core/errors.ts";
import type { Event } from "../../src/provisioner/core/events.ts";
import {
  defineTask,
  differences,
  guarded,
  guardPlace,
  run as program,
  write,
} from "../../src/provisioner/core/task.ts";
import { converge, type Summary } from "../../src/provisioner/core/converge.ts";
import type { Recipe } from "../../src/provisioner/core/recipe.ts";
import { startRun } from "../../src/provisioner/core/run.ts";
import { emptyMachine, type FakeHost } from "../support/fake-host.ts";
import { sourcesOf } from "../support/tasks.ts";

const where = { file: "spec.yaml", line: 3, column: 5 };

/** A line that is written to a file, and then put into use by a program. */
const line = defineTask({
  name: "line",
  summary: "A line for tests.",
  schema: Type.Object({ name: Type.String(), text: Type.String() }),
  examples: [],
  subject: ({ name }) => name,
  async read(facts, { name }) {
    const [now, inUse, armed] = await Promise.all([
      facts.file(`/etc/${name}`),
      facts.file(`/run/${name}`),
      facts.stat(guardPlace(name)),
    ]);
    return { now, inUse, armed };
  },
  plan({ name, text }, { now, inUse, armed }) {
    const changes = differences(
      { what: name, from: now, to: text, actions: [write(`/etc/${name}`, text)] },
      {
        what: `${name} in use`,
        from: inUse,
        to: text,
        actions: [{ ...program("use-line", name), touches: [`file:/run/${name}`], detached: true }],
      },
    );
    const guard = { name, keeps: [`/etc/${name}`, `/run/${name}`], restore: `use-line ${name}` };
    return guarded(changes, guard, armed);
  },
});

function lineUse(name: string, text = "new"): Recipe[number] {
  return { id: `line ${name}`, task: line, params: { name, text }, where };
}

function machine(...names: readonly string[]): FakeHost {
  const host = emptyMachine();
  host.program("use-line", ([, name = ""], { files }) => {
    files.write(`/run/${name}`, files.read(`/etc/${name}`) ?? "");
  });
  for (const name of names) {
    host.files.write(`/etc/${name}`, "old");
    host.files.write(`/run/${name}`, "old");
  }
  return host;
}

async function go(
  host: FakeHost,
  recipe: Recipe,
  { events = [], signal = new AbortController().signal }: { events?: Event[]; signal?: AbortSignal } = {},
): Promise<Summary> {
  const run = startRun({ signal, now: () => performance.now(), report: (event) => events.push(event) });
  return converge(recipe, { host, run, check: false, sources: sourcesOf() });
}

function deeds({ journal }: FakeHost): readonly string[] {
  return journal.map((each) => each.replace(/^run (?:provision-guard )?/, "").replace(/^(arm \S+) .*/, "$1"));
}

function notes(events: readonly Event[]): readonly string[] {
  return events.flatMap((event) => (event.kind === "note" ? [event.text] : []));
}

function outcomes(events: readonly Event[]): readonly string[] {
  return events.flatMap((event) => (event.kind === "use-ended" ? [`${event.use} ${event.outcome}`] : []));
}

const wholeLine = (name: string) => [
  `arm ${name}`,
  `write /etc/${name}`,
  `use-line ${name}`,
  `confirm ${name}`,
];
const inEffect = (host: FakeHost, name: string) => [
  host.files.read(`/etc/${name}`),
  host.files.read(`/run/${name}`),
];

describe("a guarded change", () => {
  it("is armed first, confirmed last over a new connection, and leaves nothing armed", async () => {
    const host = machine("eth");
    let doneBefore: readonly string[] = [];
    host.away = () => (doneBefore = deeds(host));

    const summary = await go(host, [lineUse("eth")]);

    expect(deeds(host)).toEqual(wholeLine("eth"));
    expect(doneBefore).toEqual(wholeLine("eth").slice(0, -1));
    expect([host.reconnects, host.guards.armed, inEffect(host, "eth")]).toEqual([1, [], ["new", "new"]]);
    // To read, to act, to confirm, to prove.
    expect(summary).toMatchObject({ changed: 1, flights: 4 });
  });

  it("costs one flight and no new connection when there is nothing to do", async () => {
    const host = machine("eth");

    const summary = await go(host, [lineUse("eth", "old")]);

    expect([summary.flights, host.reconnects, host.journal]).toEqual([1, 0, []]);
  });

  it("is an error of its use once the machine has taken it back, and nothing is done twice", async () => {
    const host = machine("eth", "later");
    host.away = () => void host.guards.expire("eth");
    const events: Event[] = [];

    const failing = go(host, [lineUse("eth"), lineUse("later")], { events });

    await expect(failing).rejects.toMatchObject({
      code: "CHANGE_REVERTED",
      where,
      message:
        "Cannot settle line eth: the host must answer on a new connection within 180 s, did not, and has taken the change back",
    });
    expect(outcomes(events)).toEqual(["line eth failed", "line later skipped"]);
    expect(deeds(host)).toEqual(wholeLine("eth"));
    expect(inEffect(host, "eth")).toEqual(["old", "old"]);
  });

  it("says so too when the machine could not take it back whole", async () => {
    const host = machine("eth");
    host.guards.restoreCode = 1;
    host.away = () => void host.guards.expire("eth");

    await expect(go(host, [lineUse("eth")])).rejects.toMatchObject({
      code: "CHANGE_NOT_REVERTED",
      message: expect.stringContaining("it does not start"),
    });
  });

  it.each([0, 1, 2, 3])(
    "is not begun again when it cut its own line after %i orders and was taken back",
    async (orders) => {
      const host = machine("eth");
      host.loseAt(2, orders);
      host.away = () => void host.guards.expire("eth");

      const going = go(host, [lineUse("eth")]);

      // Lost before the guard was armed, nothing had been done: then it is done, and lost once more.
      await expect(going).rejects.toMatchObject({ code: "CHANGE_REVERTED" });
      expect(deeds(host).filter((deed) => deed.startsWith("use-line"))).toHaveLength(
        orders === 0 || orders === 3 ? 1 : 0,
      );
      expect([host.guards.armed, inEffect(host, "eth")]).toEqual([[], ["old", "old"]]);
    },
  );

  it.each([0, 1, 2, 3])(
    "goes on where it stopped when it was cut after %i orders and still stands",
    async (orders) => {
      const host = machine("eth");
      host.loseAt(2, orders);

      const summary = await go(host, [lineUse("eth")]);

      expect(summary).toMatchObject({ changed: 1 });
      expect([host.guards.armed, inEffect(host, "eth")]).toEqual([[], ["new", "new"]]);
      expect(deeds(host).filter((deed) => deed === "use-line eth")).toHaveLength(1);
    },
  );

  it("keeps what was there before the first attempt, when it is cut between two", async () => {
    const host = machine("eth");
    host.loseAt(2, 2);
    let losses = 0;
    // The second connection is lost for good.
    host.away = () => (losses += 1) > 1 && void host.guards.expire("eth");

    await expect(go(host, [lineUse("eth")])).rejects.toMatchObject({ code: "CHANGE_REVERTED" });

    expect(inEffect(host, "eth")).toEqual(["old", "old"]);
  });

  it("counts as confirmed when the line breaks behind the confirmation", async () => {
    const host = machine("eth");
    host.loseAt(3, 1);

    const summary = await go(host, [lineUse("eth")]);

    expect(summary).toMatchObject({ changed: 1 });
    expect(deeds(host)).toEqual(wholeLine("eth"));
  });

  it("is confirmed one by one where there are two", async () => {
    const host = machine("eth", "wg");

    await go(host, [lineUse("eth"), lineUse("wg")]);

    expect(deeds(host)).toEqual([...wholeLine("eth"), ...wholeLine("wg")]);
    expect(host.reconnects).toBe(2);
  });

  it("leaves the confirmed one alone when the second is taken back", async () => {
    const host = machine("eth", "wg");
    host.away = () => void host.guards.expire("wg");

    await expect(go(host, [lineUse("eth"), lineUse("wg")])).rejects.toMatchObject({
      code: "CHANGE_REVERTED",
    });

    expect([inEffect(host, "eth"), inEffect(host, "wg")]).toEqual([
      ["new", "new"],
      ["old", "old"],
    ]);
  });

  it("is only confirmed by a run that finds it done and not confirmed", async () => {
    const host = machine("eth");
    host.loseAt(2, 3);
    host.staysAway = true;
    await expect(go(host, [lineUse("eth")])).rejects.toMatchObject({ code: "HOST_LOST" });
    host.staysAway = false;
    host.journal.length = 0;

    const events: Event[] = [];
    const summary = await go(host, [lineUse("eth")], { events });

    expect([deeds(host), host.reconnects, summary.changed]).toEqual([["confirm eth"], 1, 1]);
    expect(host.guards.armed).toEqual([]);
  });

  it("is tried anew by the next run after it was taken back", async () => {
    const host = machine("eth");
    host.away = () => void host.guards.expire("eth");
    await expect(go(host, [lineUse("eth")])).rejects.toMatchObject({ code: "CHANGE_REVERTED" });
    host.away = () => {};

    expect(await go(host, [lineUse("eth")])).toMatchObject({ changed: 1 });
    expect(inEffect(host, "eth")).toEqual(["new", "new"]);
  });

  it("is taken back at once when a later action of it fails", async () => {
    const host = machine("eth");
    host.program("use-line", () => ({ code: 9, stderr: "no such device" }));
    const events: Event[] = [];

    await expect(go(host, [lineUse("eth")], { events })).rejects.toMatchObject({ code: "ACTION_FAILED" });

    expect(deeds(host).at(-1)).toBe("take-back eth");
    expect(notes(events)).toEqual(["What line eth had changed is taken back"]);
    expect(inEffect(host, "eth")).toEqual(["old", "old"]);
  });

  it("says that the machine will take it back when the run is stopped before it is confirmed", async () => {
    const host = machine("eth");
    const stop = new AbortController();
    host.away = () => stop.abort();
    const events: Event[] = [];

    await expect(go(host, [lineUse("eth")], { events, signal: stop.signal })).rejects.toMatchObject({
      name: "AbortError",
    });

    expect(host.guards.armed).toEqual(["eth"]);
    expect(notes(events)).toContain(
      "line eth is not confirmed: the machine takes its change back by itself, 180 s after it began",
    );
  });

  it("waits while somebody else answers at its address, until it is back as it was", async () => {
    const host = machine("eth");
    let attempts = 0;
    host.away = () => {
      attempts += 1;
      if (attempts === 1) throw new ProvisionError("SSH_REFUSED", { host: "another" });
      host.guards.expire("eth");
    };

    await expect(go(host, [lineUse("eth")])).rejects.toMatchObject({ code: "CHANGE_REVERTED" });

    expect(attempts).toBe(2);
  });
});
