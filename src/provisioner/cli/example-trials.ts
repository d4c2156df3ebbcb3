import type { Recipe, Use } from "../core/recipe.ts";
import type { Example, Task, TrialMachine } from "../core/task.ts";
import type { Trial } from "../trial/trial.ts";

/** Where examples are tried, and with which tasks there are. */
export interface TrialPlace {
  readonly base: string;
  readonly machine: TrialMachine;
  readonly registry: readonly Task[];
}

/** The examples of tasks as things to try on this machine. */
export function exampleTrials(tasks: readonly Task[], at: TrialPlace): readonly Trial[] {
  return tasks.flatMap((task) => task.examples.map((example) => trialOf(task, example, at)));
}

function trialOf(
  task: Task,
  { title, params, trial = {} }: Example<unknown>,
  { base, machine, registry }: TrialPlace,
): Trial {
  const place = `${task.name}, example "${title}"`;
  const { given = [], spoil, only } = trial;
  const instead = trial.insteadOn?.(machine) ?? trial.instead ?? params;
  const elsewhere =
    only === undefined || only.bases.includes(base)
      ? undefined
      : `${only.because}; it is tried on ${only.bases.join(", ")} (--base)`;
  const skip = trial.skip ?? elsewhere;
  return {
    subject: task.name,
    title,
    given: givenUses(given, registry, place),
    recipe: [useOf(task, instead, place)],
    ...(spoil && { spoil: () => spoil }),
    ...(skip !== undefined && { skip }),
  };
}

/** What an example needs, written as in a spec: one task with its parameters each. */
export function givenUses(
  given: readonly Readonly<Record<string, unknown>>[],
  registry: readonly Task[],
  place: string,
): Recipe {
  return given.map((entry) => {
    const [[name, params] = ["", {}], ...more] = Object.entries(entry);
    const task = registry.find((each) => each.name === name);
    // The contract test of the tasks has seen to it.
    if (!task || more.length > 0) throw new Error(`${place}: each of "given" must be one task, is "${name}"`);
    return useOf(task, params, place);
  });
}

function useOf(task: Task, params: unknown, place: string): Use {
  return {
    id: `${task.name} ${task.subject(params)}`,
    task,
    params,
    where: { file: place, line: 1, column: 1 },
  };
}
