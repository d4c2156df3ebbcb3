import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { destroyHosts } from "../../../src/provisioner/cli/hosts/destroy-hosts.ts";
import { runSession } from "../../../src/provisioner/cli/session.ts";
import { FakeHypervisor, fakeHypervisors, someDomain, someVolume } from "../../support/fake-hypervisor.ts";
import { fakeShell } from "../../support/fake-shell.ts";

let home = "";
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "provision-home-"));
});
afterEach(() => rm(home, { recursive: true }));

const uri = "fake:///system";

function someHypervisor(): FakeHypervisor {
  const names = ["web.qcow2", "web.disk-data.qcow2", "db.qcow2", "mail.qcow2"];
  const db = { mark: { files: ["/pool/db.qcow2"] } };
  return new FakeHypervisor(
    [
      someDomain(),
      someDomain({ name: "db", state: "shut-off", ...db }),
      someDomain({ name: "theirs", mark: "none" }),
      someDomain({ name: "mail", mark: { files: ["/pool/mail.qcow2"] } }),
    ],
    names.map((name) => someVolume(name)),
  );
}

async function destroy(
  names: readonly string[],
  { driver = someHypervisor(), purge = false, yes = false, answer = undefined as string | undefined, json = false } = {},
): Promise<{ code: number; out: string; err: string; asked: readonly string[]; driver: FakeHypervisor }> {
  const asked: string[] = [];
  const ask = async (question: string) => {
    asked.push(question);
    return answer;
  };
  const base = fakeShell(home);
  const shell = { ...base, ask };
  const hosts = names.map((name) => ({ name, uri, loaded: undefined, isNamed: true }));
  const code = await runSession({ shell, flags: { color: false, json }, command: "destroy" }, (session) =>
    destroyHosts({ hosts, hypervisors: fakeHypervisors(driver), purge, yes, width: 2 }, session, shell),
  );
  return { code, out: base.out.join(""), err: base.err.join(""), asked, driver };
}

describe("destroy", () => {
  it("says what will be lost, and asks", async () => {
    const { code, out, asked, driver } = await destroy(["web", "db"], { purge: true, answer: "y" });

    expect(asked).toEqual([
      [
        "web, running:",
        "  lost: the machine's definition, its firmware's settings, its console log",
        "  lost: all that is on /pool/web.qcow2 (5 MiB)",
        "  lost: all that is on /pool/web.disk-data.qcow2 (5 MiB)",
        "db, shut-off:",
        "  lost: the machine's definition, its firmware's settings, its console log",
        "  lost: all that is on /pool/db.qcow2 (5 MiB)",
        "Destroy web, db? [y/N] ",
      ].join("\n"),
    ]);
    expect(out).toBe(
      ["NAME  OUTCOME    DISKS", "web   destroyed  2 disks removed", "db    destroyed  1 disk removed", ""].join("\n"),
    );
    expect(code).toBe(0);
    expect(driver.domainNames).toEqual(["theirs", "mail"]);
  });

  it("says what stays", async () => {
    const { asked, out } = await destroy(["web"], { answer: "yes" });

    expect(asked[0]).toContain("  kept: /pool/web.qcow2 (5 MiB); --purge would remove it");
    expect(out).toBe("web: destroyed, kept /pool/web.qcow2, /pool/web.disk-data.qcow2\n");
  });

  it.each([
    ["is answered by no", "n", 'it must be confirmed by "y"'],
    ["is answered by nothing", "", 'it must be confirmed by "y"'],
    ["has no terminal", undefined, "Give --yes"],
  ])("touches nothing when its question %s", async (_title, answer, says) => {
    const { code, err, driver } = await destroy(["web"], { answer });

    expect([code, driver.journal]).toEqual([2, []]);
    expect(err).toContain(says);
  });

  it("asks nobody with --yes, nor when there is nothing to lose", async () => {
    const { asked } = await destroy(["web"], { yes: true });
    const nothing = await destroy(["gone"]);

    expect(asked).toEqual([]);
    expect([nothing.code, nothing.asked, nothing.out]).toEqual([0, [], "gone: nothing there, no disks\n"]);
  });

  it("goes on with the others when one fails, and ends with its number", async () => {
    const driver = someHypervisor();
    driver.broken.push("db");

    const { code, out, err } = await destroy(["web", "theirs", "db", "mail"], { driver, yes: true });

    expect(code).toBe(4);
    expect(out.split("\n").map((line) => line.trimEnd().replaceAll(/ {2,}/g, " | "))).toEqual([
      "NAME | OUTCOME | DISKS",
      "web | destroyed | kept /pool/web.qcow2, /pool/web.disk-data.qcow2",
      "theirs | failed: DOMAIN_FOREIGN",
      "db | failed: LIBVIRT_STALLED",
      "mail | destroyed | kept /pool/mail.qcow2",
      "",
    ]);
    expect(err).toMatch(/error DOMAIN_FOREIGN {2}theirs\n[\s\S]*error LIBVIRT_STALLED {2}db\n/);
    expect(driver.domainNames).toEqual(["db", "theirs"]);
  });

  it("gives programs the same", async () => {
    const { out } = await destroy(["web", "theirs"], { yes: true, json: true });

    const events = out.trimEnd().split("\n").map((line) => JSON.parse(line) as { kind: string; data?: unknown });
    expect(events.find(({ kind }) => kind === "result")?.data).toEqual({
      purge: false,
      hosts: [
        {
          name: "web",
          hypervisor: uri,
          outcome: "destroyed",
          removed: [],
          kept: ["/pool/web.qcow2", "/pool/web.disk-data.qcow2"],
        },
        {
          name: "theirs",
          hypervisor: uri,
          outcome: "failed",
          error: expect.objectContaining({ code: "DOMAIN_FOREIGN" }) as unknown,
        },
      ],
    });
    expect(events.at(-1)).toMatchObject({ kind: "run-ended", exitCode: 4 });
  });
});
