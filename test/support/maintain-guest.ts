import { eventsOf, launch } from "./launcher.ts";

/** What became of a window in which a package was installed. */
export interface Maintained {
  readonly exitCode: number | undefined;
  /** What went wrong, in the words of the run. */
  readonly errors: readonly string[];
  /** What the machine says afterwards: the state of the package, the options of root. */
  readonly found: string;
}

/**
 * Installs a small package from the machine's own archive in a maintenance window, by the launcher as a user would.
 * `login` is the target and the flags that log in there; `ask` runs a script on the machine by another way.
 */
export async function maintainGuest(
  login: readonly string[],
  name: string,
  ask: (script: string) => Promise<string>,
): Promise<Maintained> {
  const line = `apt-get -q update && apt-get -q -y install ${name}`;
  const run = await launch(["maintain", ...login, "--", "sh", "-c", line]);
  return {
    exitCode: run.exitCode,
    errors: eventsOf(run, "error").map(({ message }) => message),
    found: await ask(`dpkg-query -W -f '\${db:Status-Status} ' ${name}; findmnt -no OPTIONS / | cut -d, -f1`),
  };
}
