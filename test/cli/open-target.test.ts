import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { openTarget } from "../../src/provisioner/cli/open-target.ts";
import { fakeShell } from "../support/fake-shell.ts";
import { quietRun } from "../support/quiet-run.ts";
import { startSshServer, type SshServer } from "../support/ssh-server.ts";

// The worker is root's: as somebody else it would need sudo on the machine of the tests.
const isRoot = process.getuid?.() === 0;

describe.skipIf(!isRoot)("logging in to a target (skipped unless root)", () => {
  let server: SshServer;

  beforeAll(async () => {
    server = await startSshServer();
  });

  afterAll(() => server[Symbol.asyncDispose]());

  function open(id?: string) {
    const target = `root@127.0.0.1:${server.port}`;
    const flags = { target, identity: server.keyFile, knownHosts: `${server.dir}/known_hosts` };
    return openTarget(flags, fakeShell(server.home), quietRun(), id);
  }

  it("takes the lock from a login of the same run, whose line may hang, and from no other", async () => {
    await using first = await open("one");

    await expect(open()).rejects.toMatchObject({ code: "LOCKED" });
    await using again = await open("one");

    expect((await again.fly({ orders: [], facts: [] })).answers).toEqual([]);
    await expect(first.fly({ orders: [], facts: [] })).rejects.toMatchObject({ name: "HostLost" });
  });
});
