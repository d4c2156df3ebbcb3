import type { Static } from "typebox";

import { Type } from "../../provisioner/core/schema.ts";
import { accountName, presentOrAbsent } from "../../provisioner/core/task.ts";

/** A part of a path; `.git` is git's own. */
const PART = "(?!\\.{1,2}(/|$)|\\.git(/|$))[^/\\u0000-\\u001f\\u007f]+";
/** Pattern of the full id of a commit. */
export const fullCommit = "^([0-9a-f]{40}|[0-9a-f]{64})$";
/** Pattern of a path below the home or below the checkout. */
export const pathBelow = `^${PART}(/${PART})*$`;

/** What `dotfiles` takes. */
export const schema = Type.Object(
  {
    user: Type.String({ pattern: accountName, description: "Whose they are; all work is done as this user" }),
    // What is wrong with it is said by `refuseParams`: a complaint about a pattern would show a password in it.
    repository: Type.String({
      minLength: 1,
      description:
        "Where the git repository is: https, ssh, user@host:path or a path on the machine. Never with a password: that is for ~/.git-credentials of the user, a key for ~/.ssh",
    }),
    ref: Type.String({
      pattern:
        "^(?!.*(\\.\\.|@\\{|//|\\.lock(/|$)|\\.$|/$))[A-Za-z0-9_][^\\s~^:?*\\[\\\\\\u0000-\\u001f\\u007f]*$",
      description: "The full id of a commit; or a tag or branch, with `commit` beside it",
    }),
    commit: Type.Optional(
      Type.String({
        pattern: fullCommit,
        description: "The full id of the commit that the tag is, or that the branch has",
      }),
    ),
    path: Type.Optional(
      Type.String({
        pattern: `^~?(/(?!\\.{1,2}(/|$))[^/:\\u0000-\\u001f\\u007f]+)+$`,
        default: "~/.dotfiles",
        description: "Where it is checked out; ~/ is the user's home",
      }),
    ),
    links: Type.Optional(
      Type.Record(Type.String(), Type.String({ pattern: pathBelow }), {
        default: {},
        description:
          "Links in the home, each with the file or directory of the repository that it leads to. What is in the way is kept beside it as <name>.before-provision; a link that is taken out of here stays",
      }),
    ),
    state: presentOrAbsent(
      "absent: the links are removed and what was in their way is put back; the checkout stays",
    ),
  },
  { additionalProperties: false },
);

/** A use's parameters. */
export type Params = Static<typeof schema>;
