import { expect, it } from "vitest";

import { takeTurns } from "../../bench/peers/take-turns.ts";

/** A clock that only runs move. */
function site(rounds: number, { budgetMs = 1000, allMs = Infinity } = {}) {
  let now = 0;
  const order: string[] = [];
  const run = (name: string, ms: number) => [name, async () => ((now += ms), order.push(name), ms)] as const;
  const patience = { rounds, budgetMs, left: () => allMs - now, now: () => now };
  return { run, order, patience };
}

it("has everybody run in every round, each round beginning with another", async () => {
  const { run, order, patience } = site(2);

  const turns = await takeTurns(new Map([run("a", 1), run("b", 1)]), patience);

  expect(order).toEqual(["a", "b", "b", "a"]);
  expect(turns.get("a")).toEqual({ samples: [1, 1], ended: undefined });
});

it("lets out who has spent its time, after one run at least, and goes on with the others", async () => {
  const { run, patience } = site(3, { budgetMs: 10 });

  const turns = await takeTurns(new Map([run("slow", 50), run("quick", 1)]), patience);

  expect(turns.get("slow")).toEqual({ samples: [50], ended: "slow: fewer rounds" });
  expect(turns.get("quick")).toEqual({ samples: [1, 1, 1], ended: undefined });
});

it("keeps what a contender did before it failed, and does not ask it again", async () => {
  const { run, patience } = site(3);
  let asked = 0;
  const fails = async () => {
    asked += 1;
    if (asked === 2) throw new Error("broken");
    return 7;
  };

  const turns = await takeTurns(new Map([["bad", fails], run("good", 1)]), patience);

  expect(turns.get("bad")).toEqual({ samples: [7], ended: "broken" });
  expect(turns.get("good")?.samples).toHaveLength(3);
  expect(asked).toBe(2);
});

it("begins nothing once time is up", async () => {
  const { run, patience } = site(3, { allMs: 5 });

  const turns = await takeTurns(new Map([run("first", 6), run("second", 1)]), patience);

  expect(turns.get("first")).toEqual({ samples: [6], ended: "no time left" });
  expect(turns.get("second")).toEqual({ samples: [], ended: "no time left" });
});
