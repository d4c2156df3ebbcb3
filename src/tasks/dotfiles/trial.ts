/** A repository on the scratch machine itself, made so that its one commit has the same name each time. */
export const trialRepository = "/srv/git/dotfiles.git";

/** Of that commit. */
export const trialCommit = "310205bac7a62c42c3b99f6774c741c65791e68a";

const script = `set -e
export GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=bob GIT_AUTHOR_EMAIL=bob@example.org GIT_AUTHOR_DATE='1700000000 +0000'
export GIT_COMMITTER_NAME=bob GIT_COMMITTER_EMAIL=bob@example.org GIT_COMMITTER_DATE='1700000000 +0000'
git init -q -b main "$1"
cd "$1"
mkdir zsh tmux nvim
for file in zsh/zshrc tmux/tmux.conf nvim/init.lua vimrc; do echo "# $file" >$file; done
git add .
git commit -q -m 'Add settings'
git tag v1.4
`;

/** The user, git and the repository, as a spec would have them. */
export const trialGiven = [
  { apt: { present: ["git"] } },
  { user: { name: "bob" } },
  {
    command: {
      name: "dotfiles-repository",
      argv: ["sh", "-c", script, "repository", trialRepository],
      creates: trialRepository,
    },
  },
];
