/** What to do when git could not do its part on a machine; `undefined` when it was not git's. */
export function gitMend(tail: string): string | undefined {
  const [, missing] = /^Cannot find \S+ in (\S+): /m.exec(tail) ?? [];
  if (missing !== undefined)
    return `Correct ref and commit in the spec: \`git ls-remote ${missing}\` shows what there is`;
  const [, source] = /^Cannot link ([^\n]+?): it must be in commit /m.exec(tail) ?? [];
  if (source !== undefined)
    return `Correct "${source}" in the spec, or pin a commit that has it: \`git ls-tree -r --name-only <commit>\` lists what is in one`;
  const [, repository] = /^Cannot fetch \S+ from (\S+)$/m.exec(tail) ?? [];
  if (repository === undefined) return undefined;
  if (/Host key verification failed/.test(tail))
    return "Put the host key of the repository's server into /etc/ssh/ssh_known_hosts on the target, or into ~/.ssh/known_hosts of the user";
  if (/Permission denied \(publickey/.test(tail))
    return "Put a key that the repository's server knows into ~/.ssh of the user on the target";
  if (
    /could not read (Username|Password)|Authentication failed|The requested URL returned error: 403/.test(
      tail,
    )
  )
    return "Put user and password for it into ~/.git-credentials of the user on the target, a line https://user:password@host, mode 0600";
  return `Check that ${repository} is right, and that the target reaches it: \`git ls-remote ${repository}\` there must succeed`;
}
