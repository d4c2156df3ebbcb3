import type { FakeHost } from "./fake-host.ts";

/** Someone with a home, and shells to log in to. */
export function installLogin(host: FakeHost): void {
  host.files.write(
    "/etc/shells",
    "# /etc/shells: valid login shells\n/bin/sh\n/usr/bin/bash\n/usr/bin/zsh\n",
  );
  for (const program of ["bash", "git", "zsh"]) host.files.write(`/usr/bin/${program}`, "", { mode: "0755" });
  host.files.directory("/home/bob", { owner: "bob", group: "bob" });
  host.groups.set("bob", { gid: 1000, members: [] });
  host.users.set("bob", {
    uid: 1000,
    group: "bob",
    comment: "",
    home: "/home/bob",
    shell: "/usr/bin/bash",
    groups: [],
    isLocked: false,
  });
  host.program("test", ([, , path = ""]) => (host.files.stat(path)?.mode === "0755" ? 0 : 1));
}
