import { expect, it } from "vitest";

import type { Host } from "../../src/provisioner/core/host.ts";
import { maintainHost, openMaintenance } from "../../src/provisioner/maintain/maintain-host.ts";
import { maintainedMachine } from "../support/maintained-host.ts";
import { quietRun } from "../support/quiet-run.ts";

const script = "run sh /run/provision-maintenance/script";

function maintenance(host: ReturnType<typeof maintainedMachine>, signal?: AbortSignal) {
  const run = quietRun(signal);
  return { host, run, minutes: 10, owner: "alice@desk", reopen: async (): Promise<Host> => host };
}

/** The calls of the script, in order. */
const calls = (host: ReturnType<typeof maintainedMachine>) =>
  host.journal.filter((line) => line.startsWith(script)).map((line) => line.slice(script.length + 1));

const isOpen = (host: ReturnType<typeof maintainedMachine>) =>
  host.mounts.get("/")?.options.includes("rw") === true;

it("opens with a minute to spare, works, closes", async () => {
  const host = maintainedMachine();

  await maintainHost(maintenance(host), ["apt-get", "install", "-y", "hello"]);

  expect(calls(host)).toEqual(["open 660 alice@desk", "work apt-get install -y hello", "close"]);
  expect(isOpen(host)).toBe(false);
});

it("hands on what systemd would take for variables", async () => {
  const host = maintainedMachine();

  await maintainHost(maintenance(host), ["sh", "-c", "echo $HOME ${HOME} $$"]);

  expect(calls(host)[1]).toBe("work sh -c echo $$HOME $${HOME} $$$$");
});

it("closes after a command that failed, and tells its code", async () => {
  const host = maintainedMachine(() => 42);

  const failing = maintainHost(maintenance(host), ["false"]);

  await expect(failing).rejects.toMatchObject({
    code: "MAINTENANCE_FAILED",
    exitCode: 5,
    message: expect.stringContaining("`false` must exit 0, is 42") as string,
  });
  expect(isOpen(host)).toBe(false);
});

it("comes back to the command when the connection breaks, and closes", async () => {
  const host = maintainedMachine();
  host.loseAt(3, 0);

  await maintainHost(maintenance(host), ["true"]);

  expect(host.reconnects).toBe(1);
  expect(calls(host)).toEqual(["open 660 alice@desk", "work true", "close"]);
});

it("says that the machine closes by itself when it stays away", async () => {
  const host = maintainedMachine();
  host.loseAt(3, 1);
  host.staysAway = true;
  const work = maintenance(host);

  await expect(maintainHost(work, ["true"])).rejects.toMatchObject({ code: "HOST_LOST" });

  expect(work.run.events).toContainEqual({
    kind: "note",
    level: "warning",
    text: expect.stringContaining("closes by itself when its time is over") as string,
  });
});

it("fails when root does not become read-only again, and says what the machine says", async () => {
  const host = maintainedMachine();
  host.program("sh", (argv) => {
    if (argv[2] === "close") return { code: 1, stdout: "ssh.service: sshd (process 7) writes /usr/x\n" };
    host.mounts.set("/", { source: "/dev/vda2", fsType: "ext4", options: ["rw"] });
    return 0;
  });

  await expect(maintainHost(maintenance(host), ["true"])).rejects.toMatchObject({
    code: "WINDOW_NOT_CLOSED",
    message: expect.stringMatching(
      /still writable\nssh\.service: sshd \(process 7\) writes \/usr\/x$/,
    ) as string,
  });
});

it("closes what it has opened when root does not become writable", async () => {
  const host = maintainedMachine();
  host.program("sh", ([, , verb]) => (verb === "open" ? { code: 1, stderr: "systemd-run: not found" } : 0));

  await expect(openMaintenance(maintenance(host))).rejects.toMatchObject({
    code: "WINDOW_NOT_OPENED",
    message: expect.stringMatching(/\nsystemd-run: not found$/) as string,
  });
  expect(host.journal.at(-1)).toBe(`${script} close`);
});

it("touches nothing where a window is open already", async () => {
  const host = maintainedMachine();
  await openMaintenance(maintenance(host));
  const before = host.journal.length;

  await expect(maintainHost(maintenance(host), ["true"])).rejects.toMatchObject({
    code: "WINDOW_OPEN",
    exitCode: 7,
    message: expect.stringContaining("by alice@desk, for 10 minutes more") as string,
  });
  expect(host.journal).toHaveLength(before);
  expect(isOpen(host)).toBe(true);
});

it("closes over a line of its own when it is stopped in the middle", async () => {
  const stop = new AbortController();
  const host = maintainedMachine(() => {
    stop.abort();
    return 0;
  });

  await expect(maintainHost(maintenance(host, stop.signal), ["true"])).rejects.toMatchObject({
    name: "AbortError",
  });

  expect(calls(host).at(-1)).toBe("close");
  expect(isOpen(host)).toBe(false);
});
