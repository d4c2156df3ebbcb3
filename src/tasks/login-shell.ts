import { Type } from "../provisioner/core/schema.ts";
import {
  absolutePath,
  accountName,
  defineTask,
  differences,
  Refusal,
  run,
  type UserEntry,
} from "../provisioner/core/task.ts";

/** The program a user's logins start. One that cannot start them would lock the user out, so it is refused. */
export const loginShell = defineTask({
  name: "login-shell",
  summary: "The login shell of a user, once it is installed and one of /etc/shells.",
  schema: Type.Object(
    {
      user: Type.String({ pattern: accountName, description: "Login name; the user must be there" }),
      shell: Type.String({
        pattern: absolutePath,
        description: "The shell, as /etc/shells has it; its package must be installed before",
      }),
    },
    { additionalProperties: false },
  ),
  examples: [
    {
      title: "Log in to zsh",
      params: { user: "bob", shell: "/usr/bin/zsh" },
      trial: { given: [{ apt: { present: ["zsh"] } }, { user: { name: "bob" } }] },
    },
  ],

  spoil: ({ user }) => [run("usermod", "--shell", "/bin/sh", user)],

  subject: ({ user }) => user,

  identity: ({ user }) => (user === "root" ? undefined : `the login shell of ${user}`),

  async read(facts, { user, shell }): Promise<State> {
    const [entry, shells, test] = await Promise.all([
      facts.user(user),
      facts.file(SHELLS),
      facts.query({ argv: ["test", "-x", shell] }),
    ]);
    return { entry, shells: shells ?? "", test: test.code };
  },

  plan({ user, shell }, { entry, shells, test }) {
    // Where no program answers there is no machine yet; what comes before this use will have made all of it.
    if (test !== 127) refuse({ user, shell }, { entry, shells, test });
    return differences({
      what: user,
      from: entry?.shell,
      to: shell,
      actions: [
        { ...run("usermod", "--shell", shell, user), touches: ["user", "file:/etc/passwd", "query"] },
      ],
    });
  },
});

const SHELLS = "/etc/shells";

interface State {
  readonly entry: UserEntry | undefined;
  /** Text of /etc/shells. */
  readonly shells: string;
  /** Exit code of `test -x`. */
  readonly test: number;
}

function refuse(
  { user, shell }: { readonly user: string; readonly shell: string },
  { entry, shells, test }: State,
): void {
  if (!entry) throw new Refusal(`"${user}" must be a user, is none; put a \`user\` use before it`);
  if (test !== 0) {
    const name = shell.slice(shell.lastIndexOf("/") + 1);
    throw new Refusal(
      `"${shell}" must be a program, is none; install the package that brings it before this use: \`apt: { present: [${name}] }\``,
    );
  }
  const isListed = shells.split("\n").some((line) => line.trim() === shell);
  if (isListed) return;
  throw new Refusal(
    `"${shell}" must be a line of ${SHELLS}, is none: whoever logs in to another shell is turned away by some programs; take one of its lines, or install the package that adds this one`,
  );
}
