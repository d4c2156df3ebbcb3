import { describe, expect, it } from "vitest";

import { emptyHost } from "../../src/provisioner/core/empty-host.ts";
import { loginShell } from "../../src/tasks/login-shell.ts";
import { emptyMachine } from "../support/fake-host.ts";
import { accepts, planned, refusal, settle } from "../support/tasks.ts";

const zsh = { user: "bob", shell: "/usr/bin/zsh" };

describe("login-shell", () => {
  it("changes the shell and nothing else of the user", async () => {
    const host = emptyMachine();
    const before = host.users.get("bob");

    await settle(loginShell, zsh, host);

    expect(host.journal).toEqual(["run usermod --shell /usr/bin/zsh bob"]);
    expect(host.users.get("bob")).toEqual({ ...before, shell: "/usr/bin/zsh" });
  });

  it("says from which shell to which", async () => {
    expect(await planned(loginShell, zsh)).toEqual([["bob", "/usr/bin/bash", "/usr/bin/zsh"]]);
  });

  it("leaves the one that it is, in one flight", async () => {
    const host = emptyMachine();

    expect(await settle(loginShell, { user: "bob", shell: "/usr/bin/bash" }, host)).toMatchObject({
      changed: 0,
      flights: 1,
    });
  });

  it("refuses a user who is not there", async () => {
    await expect(settle(loginShell, { ...zsh, user: "carol" }, emptyMachine())).rejects.toMatchObject(
      refusal(/"carol" must be a user, is none; put a `user` use before it/),
    );
  });

  it("refuses a shell that is not installed, and names the way out", async () => {
    const host = emptyMachine();
    host.files.remove("/usr/bin/zsh");

    await expect(settle(loginShell, zsh, host)).rejects.toMatchObject(
      refusal(/"\/usr\/bin\/zsh" must be a program, is none; .* `apt: \{ present: \[zsh\] \}`/),
    );
  });

  it("refuses what cannot be executed", async () => {
    const host = emptyMachine();
    host.files.attributes("/usr/bin/zsh", { mode: "0644" });

    await expect(settle(loginShell, zsh, host)).rejects.toMatchObject(refusal(/must be a program/));
  });

  it.each(["# /usr/bin/zsh\n", "/usr/bin/zsh-static\n", "/bin/zsh\n", ""])(
    "refuses a shell that /etc/shells does not have: %j",
    async (shells) => {
      const host = emptyMachine();
      host.files.write("/etc/shells", shells);

      await expect(settle(loginShell, zsh, host)).rejects.toMatchObject(
        refusal(/"\/usr\/bin\/zsh" must be a line of \/etc\/shells, is none/),
      );
    },
  );

  it("is planned where there is no machine yet", async () => {
    expect(await planned(loginShell, zsh, emptyHost())).toEqual([["bob", undefined, "/usr/bin/zsh"]]);
  });

  it.each([{ user: "bob" }, { user: "-s", shell: "/bin/sh" }, { user: "bob", shell: "zsh" }])(
    "does not take %j",
    (params) => {
      expect(accepts(loginShell, params)).toBe(false);
    },
  );

  it("belongs to a person, root's apart, so that no image gets one", () => {
    expect(loginShell.identity?.(zsh)).toBe("the login shell of bob");
    expect(loginShell.identity?.({ ...zsh, user: "root" })).toBeUndefined();
  });
});
