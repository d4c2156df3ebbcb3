import { describe, expect, it } from "vitest";

import { apt } from "../../src/tasks/apt/index.ts";
import { emptyMachine } from "../support/fake-host.ts";
import { accepts, planned, refusal, settle } from "../support/tasks.ts";

describe("apt", () => {
  it("installs all that is missing in one transaction", async () => {
    const host = emptyMachine();
    host.packages.set("curl", { version: "8", status: "installed" });

    await settle(apt, { present: ["curl", "git", "less"] }, host);

    expect(host.journal).toEqual(["run provision-apt 600 1440 install --no-install-recommends git less"]);
  });

  it("installs, removes and purges in one transaction, and then the settings go", async () => {
    const host = emptyMachine();
    for (const name of ["b", "c"]) host.packages.set(name.repeat(2), { version: "1", status: "installed" });

    await settle(apt, { present: ["aa"], absent: ["bb"], purged: ["cc"] }, host);

    expect(host.journal).toEqual([
      "run provision-apt 600 1440 install --no-install-recommends aa bb- cc-",
      "run provision-apt 600 1440 purge --no-install-recommends cc",
    ]);
    expect(host.packages.get("bb")?.status).toBe("config-files");
    expect(host.packages.has("cc")).toBe(false);
  });

  it("shows package by package what differs", async () => {
    const host = emptyMachine();
    host.packages.set("git", { version: "1", status: "installed" });
    host.packages.set("nano", { version: "7", status: "config-files" });

    expect(await planned(apt, { present: ["curl", "git=2", "git-lfs"], purged: ["nano"] }, host)).toEqual([
      [
        "packages",
        "curl absent\ngit 1\ngit-lfs absent\nnano settings",
        "curl installed\ngit 2\ngit-lfs installed\nnano purged",
      ],
    ]);
  });

  it("takes settings that are left for absent, but not for purged", async () => {
    const host = emptyMachine();
    host.packages.set("nano", { version: "7", status: "config-files" });

    expect(await settle(apt, { absent: ["nano"] }, host)).toMatchObject({ changed: 0 });
    expect(await settle(apt, { purged: ["nano"] }, host)).toMatchObject({ changed: 1 });
  });

  it("installs again what has only settings left", async () => {
    const host = emptyMachine();
    host.packages.set("nano", { version: "7", status: "config-files" });

    await settle(apt, { present: ["nano"] }, host);

    expect(host.packages.get("nano")?.status).toBe("installed");
  });

  it("goes back to an exact version", async () => {
    const host = emptyMachine();
    host.packages.set("git", { version: "2", status: "installed" });

    await settle(apt, { present: ["git=1:1.0~rc1-1"] }, host);

    expect(host.journal[0]).toContain("--allow-downgrades git=1:1.0~rc1-1");
    expect(host.packages.get("git")?.version).toBe("1:1.0~rc1-1");
  });

  it("repairs what was interrupted before it does anything, and shows it", async () => {
    const host = emptyMachine();
    host.packages.set("half", { version: "1", status: "unpacked" });

    const plan = await planned(apt, { present: ["curl"] }, host);
    await settle(apt, { present: ["curl"] }, host);

    expect(plan[0]).toEqual(["interrupted packages", "iU  half", undefined]);
    expect(host.journal).toEqual([
      "run provision-apt 600 1440 repair",
      "run provision-apt 600 1440 install --no-install-recommends curl",
    ]);
  });

  it("hands its settings on", async () => {
    const host = emptyMachine();
    const params = { present: ["curl"], recommends: true, changeHeld: true, unsafeIo: true };

    await settle(apt, { ...params, listsHours: 0, lockSeconds: 0 }, host);

    expect(host.journal).toEqual([
      "run provision-apt 0 0 install --install-recommends --allow-change-held-packages -o Dpkg::Options::=--force-unsafe-io curl",
    ]);
  });

  it("runs detached, without questions, in bounded time", () => {
    const state = { versions: new Map(), broken: "", leftovers: [] };

    const [change] = apt.plan({ present: ["curl"], timeoutMinutes: 5 }, state);

    expect(change?.actions).toMatchObject([
      { detached: true, timeoutMs: 300_000, command: { env: { DEBIAN_FRONTEND: "noninteractive" } } },
    ]);
  });

  it("gives apt's own reason when there is no such package", async () => {
    const host = emptyMachine();
    host.program("provision-apt", () => ({ code: 100, stderr: "E: Unable to locate package nonsense" }));

    await expect(settle(apt, { present: ["nonsense"] }, host)).rejects.toMatchObject({
      code: "ACTION_FAILED",
      facts: {
        action: "sh -c … provision-apt 600 1440 install --no-install-recommends nonsense",
        tail: "E: Unable to locate package nonsense",
      },
    });
  });

  it("refuses a package in two lists", async () => {
    const params = { present: ["curl=1"], absent: ["curl"] };

    await expect(settle(apt, params, emptyMachine())).rejects.toMatchObject(
      refusal(/"curl" must be named once/),
    );
  });

  it("is named by what it is for, or by its packages", () => {
    expect(apt.subject({ name: "tools", present: ["curl"] })).toBe("tools");
    expect(apt.subject({ present: ["curl", "git=1"], purged: ["nano"] })).toBe("curl, git=1, no nano");
  });

  it.each(["g++", "libstdc++6", "0ad", "libc6:i386", "python3.13", "git=1:2.39.5-0+deb12u2"])(
    "takes %j",
    (name) => {
      expect(accepts(apt, { present: [name] })).toBe(true);
    },
  );

  it.each([
    {},
    { present: [] },
    { present: "curl" },
    { present: ["curl", "curl"] },
    { present: ["-y"] },
    { present: ["curl-"] },
    { present: ["curl*"] },
    { present: ["curl="] },
    { present: ["curl=1 git"] },
    { present: ["curl/stable"] },
    { present: ["Curl"] },
    { present: ["a b"] },
    { absent: ["curl=1"] },
    { present: ["curl"], lockSeconds: -1 },
  ])("refuses %j", (params) => {
    expect(accepts(apt, params)).toBe(false);
  });
});
