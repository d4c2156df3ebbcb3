import { type Change, defineTask, differences, run } from "../../provisioner/core/task.ts";
import { checkoutScript } from "./checkout-script.ts";
import { commitOf, type Found, lookAt, placeOf, readLook, unseen } from "./look.ts";
import { planLink, planUnlink } from "./plan-links.ts";
import { refuseCheckout, refuseLacks, refuseParams } from "./refuse.ts";
import { type Params, schema } from "./schema.ts";
import { trialCommit, trialGiven, trialRepository, trialServer } from "./trial.ts";

const exampleLinks = { ".zshrc": "zsh/zshrc", ".tmux.conf": "tmux/tmux.conf", ".config/nvim": "nvim" };
const scripts = {
  user: "bob",
  repository: "git@git.example.org:bob/scripts.git",
  ref: "0123456789abcdef0123456789abcdef01234567",
  path: "~/src/scripts",
};
const removed = {
  user: "bob",
  repository: trialRepository,
  ref: trialCommit,
  path: "~/.editor",
  links: { ".vimrc": "vimrc" },
};

/**
 * A user's settings from a git repository: a checkout at a pinned commit, and links to it in the home. The user does all
 * of it, with their own rights. What was there before is kept, and what the user has changed is never lost: a checkout
 * with changes stays where it is.
 */
export const dotfiles = defineTask({
  name: "dotfiles",
  summary:
    "A user's settings from a git repository: a checkout at a pinned commit, and links to it in the home.",
  schema,
  examples: [
    {
      title: "Settings for zsh, tmux and neovim",
      params: {
        user: "bob",
        repository: "https://git.example.org/bob/dotfiles.git",
        ref: "v1.4",
        commit: "0123456789abcdef0123456789abcdef01234567",
        links: exampleLinks,
      },
      trial: {
        given: trialGiven,
        instead: {
          user: "bob",
          repository: trialRepository,
          ref: "v1.4",
          commit: trialCommit,
          links: exampleLinks,
        },
      },
    },
    {
      title: "A checkout elsewhere, by a deploy key in ~/.ssh",
      params: scripts,
      trial: {
        given: trialServer,
        instead: { ...scripts, ref: trialCommit },
        spoil: [run("runuser", "-u", "bob", "--", "rm", "-r", "/home/bob/src/scripts")],
      },
    },
    {
      title: "Put back what was there before",
      params: {
        user: "bob",
        repository: "/srv/git/editor.git",
        ref: "0123456789abcdef0123456789abcdef01234567",
        path: "~/.editor",
        links: { ".vimrc": "vimrc" },
        state: "absent",
      },
      trial: {
        given: [...trialGiven, { dotfiles: removed }],
        instead: { ...removed, state: "absent" },
        spoil: [run("runuser", "-u", "bob", "--", "ln", "-s", "/home/bob/.editor/vimrc", "/home/bob/.vimrc")],
      },
    },
  ],

  spoil: ({ user, links: wanted = {} }) => {
    const [first] = Object.keys(wanted);
    return first === undefined ? undefined : [run("runuser", "-u", user, "--", "sh", "-c", `rm ~/${first}`)];
  },

  subject: (params) => `${params.user} ${placeOf(params)}`,

  identity: ({ user }) => `the settings of ${user}`,

  async read(facts, params): Promise<Found> {
    return readLook(await facts.query(lookAt(params)));
  },

  plan(params, found) {
    refuseParams(params);
    const home = found.home ?? "~";
    const places = { home, checkout: placeOf(params).replace(/^~/, home) };
    const links = Object.entries(params.links ?? {});
    const stateOf = (name: string) => found.links.get(name) ?? unseen;
    if (params.state === "absent")
      return links.flatMap(([name]) => planUnlink(name, stateOf(name), { params, places }));
    refuseLacks(params, found);
    return [
      ...planCheckout(places.checkout, params, found),
      ...links.flatMap((link) => planLink(link, stateOf(link[0]), { params, places })),
    ];
  },
});

/** A first clone of a big repository over a slow line. */
const TIMEOUT_MS = 30 * 60_000;

function planCheckout(at: string, params: Params, { checkout }: Found): readonly Change[] {
  refuseCheckout(at, params, checkout);
  const { user, repository, ref, links = {} } = params;
  const commit = commitOf(params);
  const argv = [
    "sh",
    "-c",
    checkoutScript,
    "provision-dotfiles",
    user,
    placeOf(params),
    ref,
    commit,
  ] as const;
  const [first, ...others] = differences(
    { what: at, from: checkout.head, to: commit, actions: [] },
    {
      what: `${at} remote`,
      from: checkout.kind === "absent" ? repository : checkout.url,
      to: repository,
      actions: [],
    },
  );
  if (!first) return [];
  const move = {
    kind: "run",
    detached: true,
    timeoutMs: TIMEOUT_MS,
    touches: ["file", "stat", "digest", "query"],
    command: { argv: [...argv, repository, ...new Set(Object.values(links))] },
  } as const;
  return [{ ...first, actions: [move] }, ...others];
}
