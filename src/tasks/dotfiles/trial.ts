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

const programs = [{ apt: { present: ["git"] } }, { user: { name: "bob" } }];

/** The user, git and the repository, as a spec would have them. */
export const trialGiven = [
  ...programs,
  {
    command: {
      name: "dotfiles-repository",
      argv: ["sh", "-c", script, "repository", trialRepository],
      creates: trialRepository,
    },
  },
];

const scripts = "/home/git/bob/scripts.git";

/** Lets the key of bob in as git, by the name that the example has for the server. */
const keys = `set -e
echo '127.0.0.1 git.example.org' >>/etc/hosts
runuser -u bob -- sh -ec '
  mkdir -m 700 /home/bob/.ssh
  cd /home/bob/.ssh
  ssh-keygen -q -t ed25519 -N "" -f id_ed25519
  sed "s/^/git.example.org /" /etc/ssh/ssh_host_ed25519_key.pub >known_hosts'
mkdir -m 700 /home/git/.ssh
cp /home/bob/.ssh/id_ed25519.pub /home/git/.ssh/authorized_keys
chown -R git: /home/git/.ssh
`;

/** The same repository behind the scratch machine's own sshd. */
export const trialServer = [
  ...programs,
  { user: { name: "git" } },
  {
    command: {
      name: "scripts-repository",
      argv: ["runuser", "-u", "git", "--", "sh", "-c", script, "repository", scripts],
      creates: scripts,
    },
  },
  { command: { name: "deploy-key", argv: ["sh", "-c", keys], creates: "/home/git/.ssh/authorized_keys" } },
];
