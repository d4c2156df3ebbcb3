import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { showConsole } from "../../../src/provisioner/cli/hosts/show-console.ts";
import { runSession } from "../../../src/provisioner/cli/session.ts";
import { FakeHypervisor, fakeHypervisors, someDomain } from "../../support/fake-hypervisor.ts";
import { fakeShell } from "../../support/fake-shell.ts";

let home = "";
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "provision-home-"));
});
afterEach(() => rm(home, { recursive: true }));

function show(
  shell: ReturnType<typeof fakeShell>,
  driver: FakeHypervisor,
  { follow = false, lines = 2, name = "web" } = {},
): Promise<number> {
  const host = { name, uri: driver.uri, loaded: undefined, isNamed: true };
  return runSession({ shell, flags: { color: false }, command: "console", quiet: true }, (session) =>
    showConsole({ host, hypervisors: fakeHypervisors(driver), lines, follow }, session),
  );
}

describe("console", () => {
  it("shows the last lines, and nothing that a terminal obeys", async () => {
    const driver = new FakeHypervisor([someDomain()]);
    driver.texts.set("web-console.log", "one\ntwo\n\u001b[2Jthr\u202eee\n");
    const shell = fakeShell(home);

    expect(await show(shell, driver)).toBe(0);
    expect(shell.out.join("")).toBe("two\nthree\n");
  });

  it("says when it is empty, and when there is no such host", async () => {
    const driver = new FakeHypervisor([someDomain()]);
    const shell = fakeShell(home);

    expect(await show(shell, driver)).toBe(0);
    expect(await show(shell, driver, { name: "gone" })).toBe(4);
    expect(shell.out.join("")).toBe("The console of web is empty\n");
    expect(shell.err.join("")).toContain("HOST_NOT_DEPLOYED");
  });

  it("goes on as it comes until Ctrl-C, which is its usual end", async () => {
    const driver = new FakeHypervisor([someDomain()]);
    driver.texts.set("web-console.log", "one\n");
    const shell = fakeShell(home);

    const shown = show(shell, driver, { follow: true });
    await expect.poll(() => shell.out.join("")).toBe("one\n");
    driver.texts.set("web-console.log", "one\ntwo\n");
    await expect.poll(() => shell.out.join(""), { timeout: 4000 }).toBe("one\ntwo\n");
    shell.stop();

    expect(await shown).toBe(0);
    expect(shell.err).toEqual([]);
  });
});
