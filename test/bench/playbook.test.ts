import { expect, it } from "vitest";
import { parse } from "yaml";

import { itemsOf } from "../../bench/items.ts";
import { judge } from "../../bench/peers/ansible.ts";
import { playbook } from "../../bench/peers/playbook.ts";

interface Play {
  readonly gather_facts: boolean;
  readonly tasks: readonly { readonly name: string; readonly notify?: string }[];
  readonly handlers: readonly { readonly name: string }[];
}

it("has a step for each item at least, and a handler for whatever is notified", () => {
  const [play] = parse(playbook(itemsOf(60), { files: "/files", gathersFacts: false })) as [Play];

  expect(play.gather_facts).toBe(false);
  expect(play.tasks.length).toBeGreaterThanOrEqual(60);
  const notified = play.tasks.flatMap(({ notify }) => notify ?? []);
  expect(notified.length).toBeGreaterThan(0);
  expect(play.handlers.map(({ name }) => name).toSorted()).toEqual(notified.toSorted());
});

const recap = (changed: number, failed = 0) =>
  `PLAY RECAP ***\nhost-0   : ok=66   changed=${changed}    unreachable=0    failed=${failed}    skipped=0\n`;
const members = [{ name: "host-0" }];

it.each([
  ["first", 60],
  ["no-op", 0],
  ["check", 3],
] as const)("takes a recap of a %s run with %i changes", (action, changed) => {
  expect(() => judge(recap(changed), { action, drifted: 3, members })).not.toThrow();
});

it.each([
  ["first", recap(0)],
  ["no-op", recap(1)],
  ["check", recap(0)],
  ["first", recap(60, 1)],
  ["no-op", "no recap at all"],
] as const)("refuses a recap of a %s run that says otherwise", (action, text) => {
  expect(() => judge(text, { action, drifted: 3, members })).toThrow("Ansible says of host-0");
});
